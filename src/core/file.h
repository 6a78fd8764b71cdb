/* Files that must survive a crash: opened for one owner, appended to, synced, locked.
 *
 * Every function returns 0 or an errno; none is retried but for EINTR. An fsync that failed must
 * not be asked again: the kernel may have dropped the pages and would say yes.
 */
#ifndef AC_FILE_H
#define AC_FILE_H

#include "buf.h"

#include <sys/types.h>

enum ac_file_how {
    AC_FILE_READ,       /* an existing file */
    AC_FILE_APPEND,     /* to its end, created if it is not there */
    AC_FILE_CREATE,     /* to its end, an error if it is there */
    AC_FILE_READ_LINKED /* an existing file, also through a link */
};

struct ac_file_stat {
    int64_t bytes;
    const char *type; /* "file", "directory", "link" or "other" */
    unsigned mode, links;
    uid_t uid;
    gid_t gid;
    bool own; /* belongs to this process's effective user */
};

/* A new file gets `mode` whatever the umask. ELOOP for a link at the path's end, EINVAL for what is
 * no regular file. */
int ac_file_open(int *fd, const char *path, enum ac_file_how how, mode_t mode);

/* Closes a descriptor that is not negative, and makes it -1. */
void ac_file_close(int *fd);

/* `written` tells how many bytes got there, also if it failed. */
int ac_file_append(int fd, struct ac_str bytes, size_t *written);

/* `got` is less than `n` only at the end of the file. */
int ac_file_read(int fd, int64_t offset, char *out, size_t n, size_t *got);

int ac_file_sync(int fd);
int ac_file_truncate(int fd, int64_t bytes);

/* Blocks for `bytes` from the start, without making the file longer. EOPNOTSUPP where the file
 * system or the system cannot. */
int ac_file_reserve(int fd, int64_t bytes);

/* An exclusive lock on one byte, which need not be there: one descriptor holds many. It belongs to
 * the open file, which a fork shares, and ends with its last descriptor. EWOULDBLOCK if another
 * open file holds it, ENOLCK where the system has no such locks. */
int ac_file_lock(int fd, int64_t offset);
int ac_file_unlock(int fd, int64_t offset);
void ac_file_unlock_all(int fd);

/* 0 or EWOULDBLOCK, as ac_file_lock() would. Takes nothing, so that it stands in nobody's way. */
int ac_file_probe(int fd, int64_t offset);

/* EINVAL for what is no regular file. */
int ac_file_stat(int fd, struct ac_file_stat *out);

/* The same of what is at a path, whatever it is; a link is not followed. */
int ac_file_look(const char *path, struct ac_file_stat *out);

/* The names in a directory, each with a NUL behind it, without "." and "..". E2BIG if they do not
 * fit into the buffer. */
int ac_file_list(const char *path, struct ac_buf *out);

/* Makes names in a directory durable. */
int ac_file_sync_directory(const char *path);

/* For its owner alone. */
#define AC_FILE_DIRECTORY_MODE 0700u

/* Fine if it is there already, whatever its mode; ENOTDIR if it is something else. */
int ac_file_make_directory(const char *path, unsigned mode);

enum ac_file_for {
    AC_FILE_FOR_OWNER, /* mode 0600; a file that is there is replaced */
    AC_FILE_FOR_ALL,   /* as the umask has it; a file that is there is replaced */
    AC_FILE_NEW        /* as the umask has it; EEXIST if anything is there, a link too */
};

/* Writes a whole file or none of it: made under the name `aside`, in the same directory, and
 * renamed when it is safely written. No link is followed at the end of `path` (ELOOP), and nothing
 * but a file is replaced (EISDIR, EINVAL). */
int ac_file_write(const char *path, const char *aside, struct ac_str bytes, enum ac_file_for whom);

#endif
