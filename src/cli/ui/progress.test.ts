import { describe, expect, it } from "vitest";
import { compactNumber, duration, table } from "./format.ts";
import { ProgressBar, type Terminal } from "./progress.ts";

/** A terminal that remembers what was written, and a clock that is set by hand. */
function record(terminal: Omit<Terminal, "write">) {
  const written: string[] = [];
  const clock = { ms: 0 };
  const write = (text: string) =>
    written.push(text.replaceAll("\r", "<start>").replaceAll("\x1b[K", "<erase>").replaceAll("\n", "<line>"));
  const bar = new ProgressBar({ ...terminal, write }, () => clock.ms);
  return { written, clock, bar };
}

const half = { fraction: 0.5, stage: "epoch 1/2", loss: 1.5, tokensPerSecond: 61_234, secondsLeft: 75 };

describe("on a terminal", () => {
  it("redraws one line, ten times a second at most", () => {
    const { written, clock, bar } = record({ isTTY: true, columns: 80 });
    for (clock.ms = 0; clock.ms < 1000; clock.ms++) bar.update(half);
    expect(written).toHaveLength(10);
    expect(written[0]).toMatchInlineSnapshot(
      `"<start> 50% ━━━━━━━━━━━━────────────  loss 1.500  1:15 left  61.2k tokens/s  epoch 1/2<erase>"`,
    );
    expect(written.every((text) => text.startsWith("<start>") && !text.includes("<line>"))).toBe(true);
  });

  it("never fills the line, and drops the least wanted first when it is narrow", () => {
    const lines = [200, 60, 40, 30, 20, 10, 5, 1].map((columns) => {
      const { written, bar } = record({ isTTY: true, columns });
      bar.update(half);
      const visible = written[0]!.replace("<start>", "").replace("<erase>", "");
      expect(visible.length).toBeLessThan(Math.max(columns, 2));
      return visible;
    });
    expect(lines).toMatchInlineSnapshot(`
      [
        " 50% ━━━━━━━━━━━━━━━━━━━━────────────────────  loss 1.500  1:15 left  61.2k tokens/s  epoch 1/2",
        " 50%  loss 1.500  1:15 left  61.2k tokens/s  epoch 1/2",
        " 50% ━━━━━━─────  loss 1.500  1:15 left",
        " 50%  loss 1.500  1:15 left",
        " 50%  loss 1.500",
        " 50%",
        " 50%",
        "",
      ]
    `);
  });

  it("keeps notes above the bar and leaves nothing behind", () => {
    const { written, bar } = record({ isTTY: true, columns: 40 });
    bar.update(half);
    bar.note("validation 1.43");
    bar.end();
    expect(written.slice(1)).toMatchInlineSnapshot(`
      [
        "<start><erase>",
        "validation 1.43<line>",
        "<start> 50% ━━━━━━─────  loss 1.500  1:15 left<erase>",
        "<start><erase>",
      ]
    `);
  });

  it("has colours only where the terminal has them", () => {
    for (const colors of [true, false]) {
      const { written, bar } = record({ isTTY: true, columns: 80, hasColors: () => colors });
      bar.update(half);
      expect(written[0]!.includes("\x1b[36m")).toBe(colors);
    }
  });
});

it("without a terminal writes a plain line now and then", () => {
  const { written, clock, bar } = record({});
  for (clock.ms = 0; clock.ms < 25_000; clock.ms += 50) bar.update(half);
  bar.note("validation 1.43");
  bar.end();
  expect(written).toMatchInlineSnapshot(`
    [
      "50%  loss 1.500  1:15 left  61.2k tokens/s  epoch 1/2<line>",
      "50%  loss 1.500  1:15 left  61.2k tokens/s  epoch 1/2<line>",
      "50%  loss 1.500  1:15 left  61.2k tokens/s  epoch 1/2<line>",
      "validation 1.43<line>",
    ]
  `);
});

it("figures are short", () => {
  expect([0, 7, 999, 1000, 61_234, 999_900, 1_240_000, 2e9].map(compactNumber)).toMatchInlineSnapshot(`
    [
      "0",
      "7",
      "999",
      "1.00k",
      "61.2k",
      "1.00M",
      "1.24M",
      "2.00G",
    ]
  `);
  expect([0, 7.4, 59.6, 750, 3723].map(duration)).toMatchInlineSnapshot(`
    [
      "0:00",
      "0:07",
      "1:00",
      "12:30",
      "1:02:03",
    ]
  `);
  expect(
    table([
      ["a", 1, "x"],
      ["long", 1000, "y"],
    ]),
  ).toMatchInlineSnapshot(`
    "a        1  x
    long  1000  y"
  `);
});
