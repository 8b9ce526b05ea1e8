export function tiles(): string {
  return "";
}
