/* flush.h: makes names in a folder outlive a power cut: a file's own flush does not do that. */
#ifndef SHADOWBOOK_FLUSH_H
#define SHADOWBOOK_FLUSH_H

/* Flushes the folder that the file or folder at path lies in. 0 or an errno. */
int sb_flush_folder_of(const char *path);

#endif
