#include "replica/flush.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

int sb_flush_folder_of(const char *path)
{
    char folder[1024] = ".";
    const char *slash = strrchr(path, '/');
    const size_t length = slash == NULL ? 0 : slash == path ? 1 : (size_t)(slash - path);
    if (length >= sizeof folder)
        return ENAMETOOLONG;
    if (length != 0) {
        memcpy(folder, path, length);
        folder[length] = '\0';
    }
    const int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return errno;
    const int error = fsync(fd) != 0 ? errno : 0;
    close(fd);
    return error;
}
