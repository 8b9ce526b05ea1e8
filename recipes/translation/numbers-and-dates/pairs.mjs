/**
 * Numbers below ten million and dates from 1900 to 2099, in English and in Chinese. Synthetic: made of the rules below.
 *
 *     node pairs.mjs DIR     # writes DIR/{train,valid,test}.{en,zh}
 *
 * A value is in one of the three parts alone, in all its forms; numbers below a hundred, of which the others are made, are
 * all in "train". What is tested on differs from pair to pair.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const counts = { train: 20_000, valid: 500, test: 1000 };

const small =
  "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen".split(
    " ",
  );
const tens = "_ _ twenty thirty forty fifty sixty seventy eighty ninety".split(" ");
const ordinals =
  "_ first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth thirteenth fourteenth fifteenth sixteenth seventeenth eighteenth nineteenth twentieth".split(
    " ",
  );
const months = "January February March April May June July August September October November December".split(
  " ",
);
const digits = [..."零一二三四五六七八九"];

function belowThousand(n) {
  if (n < 20) return small[n];
  if (n < 100) return tens[Math.floor(n / 10)] + (n % 10 ? `-${small[n % 10]}` : "");
  return `${small[Math.floor(n / 100)]} hundred${n % 100 ? ` and ${belowThousand(n % 100)}` : ""}`;
}

function english(n) {
  const parts = [];
  for (const [size, name] of [
    [1_000_000, " million"],
    [1000, " thousand"],
    [1, ""],
  ]) {
    const group = Math.floor(n / size) % 1000;
    if (group > 0)
      parts.push((size === 1 && parts.length > 0 && group < 100 ? "and " : "") + belowThousand(group) + name);
  }
  return parts.join(" ");
}

/** Below ten thousand; `led`: something stands before it, so that leading zeros are read. */
function belowWan(n, led) {
  let text = "";
  let gap = false;
  for (const [size, name] of [
    [1000, "千"],
    [100, "百"],
    [10, "十"],
    [1, ""],
  ]) {
    const digit = Math.floor(n / size) % 10;
    if (digit === 0) {
      gap = gap || text !== "" || led;
      continue;
    }
    const isPlainTen = size === 10 && digit === 1 && text === "" && !led;
    text += (gap ? "零" : "") + (isPlainTen ? "" : digits[digit]) + name;
    gap = false;
  }
  return text;
}

function chinese(n) {
  const wan = Math.floor(n / 10_000);
  return (wan > 0 ? `${belowWan(wan, false)}万` : "") + belowWan(n % 10_000, wan > 0);
}

function ordinal(day) {
  if (day <= 20) return ordinals[day];
  return day === 30 ? "thirtieth" : `${tens[Math.floor(day / 10)]}-${ordinals[day % 10]}`;
}

const ending = (day) => ({ 1: "st", 2: "nd", 3: "rd" })[Math.floor(day / 10) === 1 ? 0 : day % 10] ?? "th";

const forms = [
  (y, m, d) => `${months[m]} ${d}, ${y}`,
  (y, m, d) => `${d}${ending(d)} of ${months[m]}, ${y}`,
  (y, m, d) => `the ${ordinal(d)} of ${months[m]} ${y}`,
];

let state = 20141117;
/** A random whole number below n, by xorshift. */
function below(n) {
  state ^= state << 13;
  state ^= state >>> 17;
  state ^= state << 5;
  return (state >>> 0) % n;
}

/** A value that says what part it is in. */
function draw() {
  if (below(2) === 0) {
    const n = 1 + below(10 ** (1 + below(7)) - 1);
    return { key: n < 100 ? undefined : n * 7919, en: english(n), zh: chinese(n) };
  }
  const [y, m] = [1900 + below(200), below(12)];
  const d = 1 + below(new Date(Date.UTC(y, m + 1, 0)).getUTCDate());
  const year = [...String(y)].map((digit) => digits[Number(digit)]).join("");
  return {
    key: (y * 12 + m) * 31 + d,
    en: forms[below(forms.length)](y, m, d),
    zh: `${year}年${chinese(m + 1)}月${chinese(d)}日`,
  };
}

const partOf = (key) =>
  (key !== undefined && ["test", "valid"][(Math.imul(key, 2654435761) >>> 8) % 10]) || "train";

const folder = process.argv[2];
if (!folder) {
  console.error("node pairs.mjs DIR: writes DIR/{train,valid,test}.{en,zh}");
  process.exit(2);
}
const parts = { train: [], valid: [], test: [] };
const drawn = new Set();
while (Object.entries(counts).some(([part, count]) => parts[part].length < count)) {
  const { key, en, zh } = draw();
  const part = partOf(key);
  if (parts[part].length === counts[part] || (part !== "train" && drawn.has(en))) continue;
  drawn.add(en);
  parts[part].push({ en, zh });
}
mkdirSync(folder, { recursive: true });
for (const [part, pairs] of Object.entries(parts)) {
  for (const side of ["en", "zh"]) {
    writeFileSync(join(folder, `${part}.${side}`), `${pairs.map((pair) => pair[side]).join("\n")}\n`);
  }
}
