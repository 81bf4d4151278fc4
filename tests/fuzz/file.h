/* file.h: inputs as files, for decoders that open a path, and what they say of them.
 *
 * The files stand in a folder in memory that belongs to this process and goes at its end; one that is killed leaves it,
 * under a name that is no process's counters. One thread. */
#ifndef SHADOWBOOK_TESTS_FUZZ_FILE_H
#define SHADOWBOOK_TESTS_FUZZ_FILE_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* Path of the file with this name, at most FUZZ_FILES_MAX different ones; some decoders choose by its ending. */
enum { FUZZ_FILES_MAX = 8 };
const char *fuzz_path(const char *name);

void fuzz_file_put(const char *path, const void *bytes, size_t n);
/* Bytes of the file, at most max of them. */
size_t fuzz_file_get(const char *path, void *bytes, size_t max);

/* Where a decoder says what is wrong; fuzz_heard() closes it and returns what was said. */
FILE *fuzz_listen(void);
const char *fuzz_heard(FILE *err);

/* A refusal: at least one line, at most max, and each is whole and begins with the file's path. */
void fuzz_refusal_judge(const char *said, const char *path, uint32_t max);

#endif
