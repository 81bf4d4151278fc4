/* lines.h: text files line by line, plain or .xz by their name.
 *
 * Reader: total on any bytes. An unreadable, truncated or damaged file, one that needs more than 512 MiB to be
 * decoded, or a line longer than SB_LINE_LENGTH_MAX, ends in an error that names file and line; nothing is guessed.
 * Writer: errors are kept and reported by close. One object belongs to one thread.
 */
#ifndef SHADOWBOOK_PERF_LINES_H
#define SHADOWBOOK_PERF_LINES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { SB_LINE_LENGTH_MAX = 4095, SB_LINES_ERROR_BYTES = 512 };

struct sb_lines; /* opaque */

/* NULL if the file cannot be opened; then error says why. */
struct sb_lines *sb_lines_open(const char *path, char error[SB_LINES_ERROR_BYTES]);
void sb_lines_close(struct sb_lines *l);

/* 1: *line is the next line (no newline, no carriage return before it, zero-terminated, valid until the next call).
 * 0: end. -1: error, see sb_lines_error(). */
int sb_lines_next(struct sb_lines *l, char **line, size_t *length);

uint64_t sb_lines_number(const struct sb_lines *l); /* of the last line returned, from 1 */

/* "file:line: what". `sb_lines_fail` makes one for a reader of a format on top; returns -1. */
const char *sb_lines_error(const struct sb_lines *l);
int sb_lines_fail(struct sb_lines *l, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

struct sb_line_writer; /* opaque */

struct sb_line_writer *sb_line_writer_open(const char *path, char error[SB_LINES_ERROR_BYTES]);
void sb_line_writer_print(struct sb_line_writer *w, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Flushes and closes; false if anything failed since open; then error says what. */
bool sb_line_writer_close(struct sb_line_writer *w, char error[SB_LINES_ERROR_BYTES]);

#endif
