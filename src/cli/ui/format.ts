/** 950, 61.2k, 1.24M: three figures. */
export function compactNumber(value: number): string {
  for (const [size, unit] of [
    [1e9, "G"],
    [1e6, "M"],
    [1e3, "k"],
  ] as const) {
    if (value >= 0.9995 * size) return `${(value / size).toPrecision(3)}${unit}`;
  }
  return value.toFixed(0);
}

/** 0:07, 12:30, 1:02:03. */
export function duration(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  const [h, m, s] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  const two = (n: number) => String(n).padStart(2, "0");
  return h > 0 ? `${h}:${two(m)}:${two(s)}` : `${m}:${two(s)}`;
}

/** 12.5 %: a tenth of a per cent, and more digits below that. */
export function percent(part: number): string {
  const value = 100 * part;
  return `${value === 0 || value >= 0.1 ? value.toFixed(1) : value.toPrecision(1)} %`;
}

/** Rows with aligned columns; numbers to the right. */
export function table(rows: readonly (readonly (string | number)[])[]): string {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => String(row[column]).length)));
  return rows
    .map((row) =>
      row
        .map((cell, column) =>
          typeof cell === "number"
            ? String(cell).padStart(widths[column]!)
            : column === row.length - 1
              ? cell
              : cell.padEnd(widths[column]!),
        )
        .join("  "),
    )
    .join("\n");
}

/** Rows with aligned columns, from the third on to the right. */
export function columns(rows: readonly (readonly string[])[]): string {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  const aligned = (cell: string, i: number) => (i < 2 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!));
  return rows.map((row) => row.map(aligned).join("  ").trimEnd()).join("\n");
}

/** Text in lines of at most `width`, each indented. */
export function wrap(text: string, width: number, indent: string): string {
  const lines: string[] = [];
  let line = indent;
  for (const word of text.split(/\s+/).filter(Boolean)) {
    if (line.length > indent.length && line.length + 1 + word.length > width) {
      lines.push(line);
      line = indent;
    }
    line += line.length > indent.length ? ` ${word}` : word;
  }
  return [...lines, line].join("\n");
}
