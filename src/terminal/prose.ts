/**
 * Paragraphs for help pages, written in lines as long as the source wants them and
 * shown in lines as long as the terminal is wide.
 */

/** Lines that follow each other become one; an empty line parts two paragraphs. */
export function prose(parts: TemplateStringsArray, ...values: readonly string[]): string {
  return String.raw(parts, ...values)
    .trim()
    .split(/\n\s*\n/)
    .map((paragraph) => paragraph.replace(/\s*\n\s*/g, ' '))
    .join('\n\n');
}
