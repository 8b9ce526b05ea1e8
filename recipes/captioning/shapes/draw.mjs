/**
 * A world of two things: each has one of 4 shapes, 5 colours and 2 sizes, and one is left of, right of, above or below the
 * other. Synthetic: drawn by the rules below, with jitter of places, sizes, colours and ground, and noise.
 *
 *     node draw.mjs DIR     # writes DIR/{pixels.safetensors,images.txt,captions.json} and some images as DIR/test/*.png
 *
 * An image has two captions, one from each thing's side. A combination (both things and how they stand) is in one of the
 * parts alone, so that what is tested on was never seen in training.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { crc32, deflateSync } from "node:zlib";

const counts = { train: 16000, val: 400, test: 1000 };
const SIZE = 40;
/** How many of the tests are written as PNG files besides. */
const EXAMPLES = 20;

const shapes = {
  circle: (x, y) => x * x + y * y <= 1,
  square: (x, y) => Math.abs(x) <= 0.85 && Math.abs(y) <= 0.85,
  triangle: (x, y) => y <= 0.8 && y >= 2 * Math.abs(x) - 1,
  cross: (x, y) => Math.min(Math.abs(x), Math.abs(y)) <= 0.33 && Math.max(Math.abs(x), Math.abs(y)) <= 1,
};
const colours = {
  red: [215, 40, 40],
  green: [40, 160, 60],
  blue: [45, 75, 215],
  yellow: [235, 205, 50],
  purple: [150, 50, 170],
};
const sizes = { small: 4, large: 7.5 };
const opposites = { "left of": "right of", "right of": "left of", above: "below", below: "above" };

let state = 20150607;
/** A random whole number below n, by xorshift. */
function below(n) {
  state ^= state << 13;
  state ^= state >>> 17;
  state ^= state << 5;
  return (state >>> 0) % n;
}
/** A random number in ±width. */
const around = (width) => (below(2001) / 1000 - 1) * width;
const one = (record) => Object.keys(record)[below(Object.keys(record).length)];

const thing = () => ({ size: one(sizes), colour: one(colours), shape: one(shapes) });
const named = ({ size, colour, shape }) => `a ${size} ${colour} ${shape}`;

/** Two things, the first left of or above the second; and what can be said of them. */
function compose() {
  const relation = below(2) === 0 ? "left of" : "above";
  const [first, second] = [thing(), thing()];
  const captions = [
    `${named(first)} ${relation} ${named(second)}`,
    `${named(second)} ${opposites[relation]} ${named(first)}`,
  ];
  return { first, second, relation, captions };
}

/** A combination says itself what part it is in: a tenth is tested on, a twentieth validated on. */
function partOf(caption) {
  const place = (crc32(caption) >>> 4) % 20;
  return place < 2 ? "test" : place === 2 ? "val" : "train";
}

/** Planes of R, G and B. */
function draw({ first, second, relation }) {
  const apart = 9 + around(1.5);
  const aside = around(3);
  const middle = [SIZE / 2 + around(2), SIZE / 2 + around(2)];
  const ground = 110 + around(60);
  const things = [first, second].map(({ size, colour, shape }, i) => {
    const sign = i === 0 ? -1 : 1;
    const [along, across] = [sign * apart, (sign * aside) / 2];
    return {
      x: middle[0] + (relation === "left of" ? along : across),
      y: middle[1] + (relation === "left of" ? across : along),
      radius: sizes[size] + around(0.7),
      colour: colours[colour].map((value) => value + around(25)),
      covers: shapes[shape],
    };
  });
  const pixels = new Uint8Array(3 * SIZE * SIZE);
  for (let y = 0; y < SIZE; y++) {
    for (let x = 0; x < SIZE; x++) {
      const colour = [ground, ground, ground];
      for (const thing of things) {
        // Of four places in the pixel, how many the shape covers.
        let covered = 0;
        for (const [dx, dy] of [
          [0.25, 0.25],
          [0.75, 0.25],
          [0.25, 0.75],
          [0.75, 0.75],
        ]) {
          const inside = thing.covers((x + dx - thing.x) / thing.radius, (y + dy - thing.y) / thing.radius);
          covered += inside ? 0.25 : 0;
        }
        for (let c = 0; c < 3; c++) colour[c] += covered * (thing.colour[c] - colour[c]);
      }
      for (let c = 0; c < 3; c++) {
        const noisy = colour[c] + around(12) + around(12);
        pixels[(c * SIZE + y) * SIZE + x] = Math.max(0, Math.min(255, Math.round(noisy)));
      }
    }
  }
  return pixels;
}

/** Planes as a PNG file. */
function png(planes) {
  const area = SIZE * SIZE;
  const rows = Buffer.alloc(SIZE * (1 + 3 * SIZE));
  for (let i = 0; i < area; i++) {
    for (let c = 0; c < 3; c++) rows[Math.floor(i / SIZE) + 1 + 3 * i + c] = planes[c * area + i];
  }
  const chunk = (name, data) => {
    const body = Buffer.concat([Buffer.from(name), data]);
    const [length, check] = [Buffer.alloc(4), Buffer.alloc(4)];
    length.writeUInt32BE(data.length);
    check.writeUInt32BE(crc32(body));
    return Buffer.concat([length, body, check]);
  };
  const header = Buffer.alloc(13);
  header.writeUInt32BE(SIZE, 0);
  header.writeUInt32BE(SIZE, 4);
  header.set([8, 2, 0, 0, 0], 8); // eight bits of R, G and B
  const signature = Buffer.from([137, 80, 78, 71, 13, 10, 26, 10]);
  const parts = [chunk("IHDR", header), chunk("IDAT", deflateSync(rows)), chunk("IEND", Buffer.alloc(0))];
  return Buffer.concat([signature, ...parts]);
}

const folder = process.argv[2];
if (!folder) {
  console.error(
    "node draw.mjs DIR: writes DIR/{pixels.safetensors,images.txt,captions.json} and DIR/test/*.png",
  );
  process.exit(2);
}
mkdirSync(join(folder, "test"), { recursive: true });
const images = [];
const pixels = [];
const drawn = { train: 0, val: 0, test: 0 };
while (Object.keys(counts).some((part) => drawn[part] < counts[part])) {
  const world = compose();
  const split = partOf(world.captions[0]);
  if (drawn[split] === counts[split]) continue;
  const filename = `${split}-${String(drawn[split]).padStart(4, "0")}.png`;
  const planes = draw(world);
  if (split === "test" && drawn.test < EXAMPLES) writeFileSync(join(folder, "test", filename), png(planes));
  pixels.push(planes);
  images.push({ filename, split, sentences: world.captions.map((raw) => ({ raw })) });
  drawn[split]++;
}
const bytes = Buffer.concat(pixels);
const shape = [pixels.length, 3, SIZE, SIZE];
const header = JSON.stringify({ pixels: { dtype: "U8", shape, data_offsets: [0, bytes.length] } });
const padded = header.padEnd(Math.ceil(header.length / 8) * 8);
const length = Buffer.alloc(8);
length.writeBigUInt64LE(BigInt(padded.length));
writeFileSync(join(folder, "pixels.safetensors"), Buffer.concat([length, Buffer.from(padded), bytes]));
writeFileSync(join(folder, "images.txt"), `${images.map(({ filename }) => filename).join("\n")}\n`);
writeFileSync(join(folder, "captions.json"), `${JSON.stringify({ images })}\n`);
