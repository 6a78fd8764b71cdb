#include "file.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

static int open_retrying(const char *path, int flags, mode_t mode)
{
    int fd;
    do
        fd = open(path, flags | O_CLOEXEC | O_NOCTTY, mode);
    while (fd < 0 && errno == EINTR);
    return fd;
}

/* A pipe would block and a device would swallow. */
static int demand_regular(int fd)
{
    struct stat about;
    if (fstat(fd, &about) != 0)
        return errno;
    return S_ISREG(about.st_mode) ? 0 : EINVAL;
}

int ac_file_open(int *fd, const char *path, enum ac_file_how how)
{
    static const int flags[] = {
        [AC_FILE_READ] = O_RDONLY,
        [AC_FILE_APPEND] = O_RDWR | O_APPEND | O_CREAT,
        [AC_FILE_CREATE] = O_RDWR | O_APPEND | O_CREAT | O_EXCL,
    };
    int opened = open_retrying(path, flags[how] | O_NOFOLLOW | O_NONBLOCK, 0600);
    if (opened < 0)
        return errno;
    int error = demand_regular(opened);
    if (error != 0) {
        close(opened);
        return error;
    }
    *fd = opened;
    return 0;
}

void ac_file_close(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

int ac_file_append(int fd, struct ac_str bytes, size_t *written)
{
    *written = 0;
    while (*written < bytes.n) {
        ssize_t n = write(fd, bytes.p + *written, bytes.n - *written);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return errno;
        if (n == 0)
            return EIO;
        *written += (size_t)n;
    }
    return 0;
}

int ac_file_read(int fd, int64_t offset, char *out, size_t n, size_t *got)
{
    *got = 0;
    while (*got < n) {
        ssize_t more = pread(fd, out + *got, n - *got, (off_t)offset + (off_t)*got);
        if (more < 0 && errno == EINTR)
            continue;
        if (more < 0)
            return errno;
        if (more == 0)
            break;
        *got += (size_t)more;
    }
    return 0;
}

int ac_file_sync(int fd)
{
#if defined(F_FULLFSYNC)
    if (fcntl(fd, F_FULLFSYNC) == 0)
        return 0;
#endif
    return fsync(fd) == 0 ? 0 : errno;
}

int ac_file_truncate(int fd, int64_t bytes)
{
    return ftruncate(fd, (off_t)bytes) == 0 ? 0 : errno;
}

int ac_file_reserve(int fd, int64_t bytes)
{
#if defined(FALLOC_FL_KEEP_SIZE)
    int done;
    do
        done = fallocate(fd, FALLOC_FL_KEEP_SIZE, 0, (off_t)bytes);
    while (done != 0 && errno == EINTR);
    return done == 0 ? 0 : errno;
#else
    (void)fd;
    (void)bytes;
    return EOPNOTSUPP;
#endif
}

#if defined(F_OFD_SETLK)
static int lock_command(int fd, int command, struct flock *byte, int64_t offset)
{
    byte->l_whence = SEEK_SET;
    byte->l_start = (off_t)offset;
    byte->l_len = 1;
    if (fcntl(fd, command, byte) == 0)
        return 0;
    return errno == EACCES || errno == EAGAIN ? EWOULDBLOCK : errno;
}

int ac_file_lock(int fd, int64_t offset)
{
    struct flock byte = {.l_type = F_WRLCK};
    return lock_command(fd, F_OFD_SETLK, &byte, offset);
}

int ac_file_unlock(int fd, int64_t offset)
{
    struct flock byte = {.l_type = F_UNLCK};
    return lock_command(fd, F_OFD_SETLK, &byte, offset);
}

int ac_file_is_locked(int fd, int64_t offset, bool *locked)
{
    struct flock byte = {.l_type = F_WRLCK};
    int error = lock_command(fd, F_OFD_GETLK, &byte, offset);
    *locked = error == 0 && byte.l_type != F_UNLCK;
    return error;
}
#else
int ac_file_lock(int fd, int64_t offset)
{
    (void)fd;
    (void)offset;
    return ENOLCK;
}

int ac_file_unlock(int fd, int64_t offset)
{
    return ac_file_lock(fd, offset);
}

int ac_file_is_locked(int fd, int64_t offset, bool *locked)
{
    *locked = false;
    return ac_file_lock(fd, offset);
}
#endif

int ac_file_stat(int fd, struct ac_file_stat *out)
{
    struct stat about;
    if (fstat(fd, &about) != 0)
        return errno;
    *out = (struct ac_file_stat){
        .bytes = (int64_t)about.st_size,
        .mode = (unsigned)about.st_mode & 07777u,
        .own = about.st_uid == geteuid(),
    };
    return 0;
}

int ac_file_sync_directory(const char *path)
{
    int fd = open_retrying(path, O_RDONLY | O_DIRECTORY, 0);
    if (fd < 0)
        return errno;
    int error = fsync(fd) == 0 ? 0 : errno;
    close(fd);
    return error;
}

int ac_file_make_directory(const char *path)
{
    struct stat about;
    if (mkdir(path, 0700) == 0)
        return 0;
    if (errno != EEXIST)
        return errno;
    if (stat(path, &about) != 0)
        return errno;
    return S_ISDIR(about.st_mode) ? 0 : ENOTDIR;
}

struct words {
    int error;
    const char *name;
    const char *text;
};

static const struct words WORDS[] = {
    {EACCES, "EACCES", "permission denied"},
    {EBADF, "EBADF", "not opened for that"},
    {EDQUOT, "EDQUOT", "the quota is used up"},
    {EEXIST, "EEXIST", "it exists already"},
    {EFBIG, "EFBIG", "the file is too large"},
    {EINVAL, "EINVAL", "not a regular file, or not possible for it"},
    {EIO, "EIO", "input or output error"},
    {EISDIR, "EISDIR", "it is a directory"},
    {ELOOP, "ELOOP", "it is a symbolic link"},
    {EMFILE, "EMFILE", "too many open files"},
    {ENAMETOOLONG, "ENAMETOOLONG", "the name is too long"},
    {ENFILE, "ENFILE", "too many open files in the system"},
    {ENOENT, "ENOENT", "no such file or directory"},
    {ENOLCK, "ENOLCK", "the file system gives no locks"},
    {ENOSPC, "ENOSPC", "no space left on the device"},
    {ENOTDIR, "ENOTDIR", "not a directory"},
    {ENXIO, "ENXIO", "not a regular file"},
    {EOPNOTSUPP, "EOPNOTSUPP", "the file system cannot do that"},
    {EPERM, "EPERM", "operation not permitted"},
    {EROFS, "EROFS", "the file system is read-only"},
    {EWOULDBLOCK, "EWOULDBLOCK", "somebody else holds it"},
};

static const struct words *words_of(int error)
{
    for (size_t i = 0; i < sizeof WORDS / sizeof *WORDS; i++)
        if (WORDS[i].error == error)
            return &WORDS[i];
    return NULL;
}

const char *ac_file_error_name(int error)
{
    const struct words *words = words_of(error);
    return words ? words->name : NULL;
}

const char *ac_file_error_words(int error)
{
    const struct words *words = words_of(error);
    return words ? words->text : NULL;
}
