type Attributes = Record<string, string | number | undefined>;

/** An element of an SVG, as text. Children are elements; text goes through `escapeXml`. */
export function element(name: string, attributes: Attributes, ...children: string[]): string {
  const written = Object.entries(attributes)
    .filter(([, value]) => value !== undefined)
    .map(([key, value]) => ` ${key}="${typeof value === "number" ? round(value) : escapeXml(String(value))}"`)
    .join("");
  return children.length === 0 ? `<${name}${written}/>` : `<${name}${written}>${children.join("")}</${name}>`;
}

export function text(attributes: Attributes, content: string): string {
  return element("text", attributes, escapeXml(content));
}

/** Characters that would be markup, and those that no XML may hold. */
export function escapeXml(content: string): string {
  return content
    .replace(/[&<>"]/g, (sign) => `&#${sign.charCodeAt(0)};`)
    .replace(/[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/gu, "\ufffd");
}

/** A hundredth of a pixel is as fine as one sees. */
export function round(value: number): number {
  return Math.round(100 * value) / 100;
}

/** About how wide a text is, in a common sans-serif font: there is none here to measure with. */
export function textWidth(content: string, size: number): number {
  let units = 0;
  for (const sign of content) units += sign > "\u2e7f" ? 1 : /[ilj.,:;'|!\s]/.test(sign) ? 0.3 : 0.58;
  return units * size;
}
