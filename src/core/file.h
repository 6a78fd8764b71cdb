/* Files that must survive a crash: opened for one owner, appended to, synced, locked.
 *
 * Every function returns 0 or an errno. Only EINTR is retried. After a failed fsync do not try it
 * again: the kernel may have dropped the pages, and would report success.
 */
#ifndef AC_FILE_H
#define AC_FILE_H

#include "buf.h"

#include <sys/types.h>

enum ac_file_how {
    AC_FILE_READ,       /* an existing file */
    AC_FILE_APPEND,     /* append; the file is created if it does not exist */
    AC_FILE_CREATE,     /* append to a new file; an error if it exists */
    AC_FILE_READ_LINKED /* an existing file; symbolic links are followed */
};

struct ac_file_stat {
    int64_t bytes;
    const char *type; /* "file", "directory", "link" or "other" */
    unsigned mode, links;
    uid_t uid;
    gid_t gid;
    bool own; /* true if the file belongs to this process's effective user */
};

/* A new file gets `mode` whatever the umask. ELOOP if the path ends in a symbolic link, EINVAL for
 * anything but a regular file. */
int ac_file_open(int *fd, const char *path, enum ac_file_how how, mode_t mode);

/* Closes the descriptor unless it is negative, and sets it to -1. */
void ac_file_close(int *fd);

/* `written` is the number of bytes written, also after an error. */
int ac_file_append(int fd, struct ac_str bytes, size_t *written);

/* `got` is less than `n` only at the end of the file. */
int ac_file_read(int fd, int64_t offset, char *out, size_t n, size_t *got);

int ac_file_sync(int fd);
int ac_file_truncate(int fd, int64_t bytes);

/* Allocates blocks for `bytes` from the start, without making the file longer. EOPNOTSUPP if the
 * file system or the operating system cannot. */
int ac_file_reserve(int fd, int64_t bytes);

/* An exclusive lock on one byte, which may lie behind the end of the file; a descriptor can hold
 * many. The lock belongs to the open file, which a fork shares, and ends with its last descriptor.
 * EWOULDBLOCK if another open file holds it, ENOLCK if the system has no such locks. */
int ac_file_lock(int fd, int64_t offset);
int ac_file_unlock(int fd, int64_t offset);
void ac_file_unlock_all(int fd);

/* Returns what ac_file_lock() would, without taking the lock. */
int ac_file_probe(int fd, int64_t offset);

/* EINVAL for anything but a regular file. */
int ac_file_stat(int fd, struct ac_file_stat *out);

/* Describes what is at a path, of any type; a symbolic link is not followed. */
int ac_file_look(const char *path, struct ac_file_stat *out);

/* The names in a directory, each followed by a NUL, without "." and "..". E2BIG if they do not fit
 * into the buffer. */
int ac_file_list(const char *path, struct ac_buf *out);

/* Makes new, renamed and removed names in a directory durable (fsync). */
int ac_file_sync_directory(const char *path);

/* Access for the owner alone. */
#define AC_FILE_DIRECTORY_MODE 0700u

/* 0 if the directory exists already, whatever its mode; ENOTDIR if something else does. */
int ac_file_make_directory(const char *path, unsigned mode);

enum ac_file_for {
    AC_FILE_FOR_OWNER, /* mode 0600; replaces an existing file */
    AC_FILE_FOR_ALL,   /* mode 0666 minus the umask; replaces an existing file */
    AC_FILE_NEW        /* mode 0666 minus the umask; EEXIST if the path exists, also as a link */
};

/* Writes a whole file or nothing: it writes and syncs a file `aside` in the same directory, then
 * renames it. A symbolic link at `path` is not followed (ELOOP), and only a regular file is
 * replaced (EISDIR, EINVAL). */
int ac_file_write(const char *path, const char *aside, struct ac_str bytes, enum ac_file_for whom);

#endif
