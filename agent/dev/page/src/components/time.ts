// Times of messages in the words of the person's language. Pure.

function parse(createdAt: string | null): Date | null {
  const date = new Date(createdAt ?? Number.NaN);
  return Number.isNaN(date.getTime()) ? null : date;
}

/** Hour and minute, or "" when there is no such time. */
export const timeOf = (createdAt: string | null): string =>
  parse(createdAt)?.toLocaleTimeString(undefined, { hour: "2-digit", minute: "2-digit" }) ?? "";

/** The day by name, or "" when there is none. */
export function dayOf(createdAt: string | null, now = new Date()): string {
  const day = parse(createdAt);
  if (!day) return "";
  if (day.toDateString() === now.toDateString()) return "Today";
  return day.toLocaleDateString(undefined, { weekday: "long", day: "numeric", month: "long", year: "numeric" });
}

/** Whether a message is the first one of its day. */
export function startsDay(createdAt: string | null, before: string | null): boolean {
  const day = parse(createdAt);
  return day !== null && day.toDateString() !== parse(before)?.toDateString();
}
