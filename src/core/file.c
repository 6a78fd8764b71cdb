#include "file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
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

static const char *type_name(mode_t mode)
{
    if (S_ISREG(mode))
        return "file";
    if (S_ISDIR(mode))
        return "directory";
    return S_ISLNK(mode) ? "link" : "other";
}

static struct ac_file_stat describe(const struct stat *about)
{
    return (struct ac_file_stat){
        .bytes = (int64_t)about->st_size,
        .type = type_name(about->st_mode),
        .mode = (unsigned)about->st_mode & 07777u,
        .links = (unsigned)about->st_nlink,
        .uid = about->st_uid,
        .gid = about->st_gid,
        .own = about->st_uid == geteuid(),
    };
}

int ac_file_stat(int fd, struct ac_file_stat *out)
{
    struct stat about;
    if (fstat(fd, &about) != 0)
        return errno;
    *out = describe(&about);
    return S_ISREG(about.st_mode) ? 0 : EINVAL;
}

int ac_file_look(const char *path, struct ac_file_stat *out)
{
    struct stat about;
    if (lstat(path, &about) != 0)
        return errno;
    *out = describe(&about);
    return 0;
}

int ac_file_list(const char *path, struct ac_buf *out)
{
    DIR *directory = opendir(path);
    if (!directory)
        return errno;
    const struct dirent *entry;
    while (errno = 0, out->status == AC_OK && (entry = readdir(directory)))
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            ac_buf_add(out, entry->d_name, strlen(entry->d_name) + 1);
    int error = out->status == AC_OK ? errno : E2BIG;
    closedir(directory);
    return error;
}

void ac_file_close(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

static int make(const char *path, int flags, mode_t mode)
{
    int fd = open_retrying(path, flags | O_CREAT | O_EXCL, mode);
    if (fd >= 0 && fchmod(fd, mode) != 0) {
        int error = errno;
        close(fd);
        errno = error;
        return -1;
    }
    return fd;
}

/* An existing file is opened without O_CREAT: in sticky directories, some systems refuse O_CREAT
 * for files of other users. */
static int open_or_make(const char *path, int flags, mode_t mode)
{
    int fd = open_retrying(path, flags, 0);
    if (fd >= 0 || errno != ENOENT)
        return fd;
    fd = make(path, flags, mode);
    return fd < 0 && errno == EEXIST ? open_retrying(path, flags, 0) : fd;
}

int ac_file_open(int *fd, const char *path, enum ac_file_how how, mode_t mode)
{
    static const int flags[] = {
        [AC_FILE_READ] = O_RDONLY | O_NOFOLLOW | O_NONBLOCK,
        [AC_FILE_APPEND] = O_RDWR | O_APPEND | O_NOFOLLOW | O_NONBLOCK,
        [AC_FILE_CREATE] = O_RDWR | O_APPEND | O_NONBLOCK,
        [AC_FILE_READ_LINKED] = O_RDONLY | O_NONBLOCK,
    };
    struct ac_file_stat about;
    if (how == AC_FILE_CREATE)
        *fd = make(path, flags[how], mode);
    else if (how == AC_FILE_APPEND)
        *fd = open_or_make(path, flags[how], mode);
    else
        *fd = open_retrying(path, flags[how], 0);
    if (*fd < 0)
        return errno;
    /* Only regular files: a pipe would block, and a device would lose what is written. */
    int error = ac_file_stat(*fd, &about);
    if (error != 0)
        ac_file_close(fd);
    return error;
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

/* Old kernels and some systems lack locks of open files: the command -1 fails with EINVAL. */
#if !defined(F_OFD_SETLK)
#define F_OFD_SETLK (-1)
#define F_OFD_GETLK (-1)
#endif

static int lock_command(int fd, int command, struct flock *bytes)
{
    bytes->l_whence = SEEK_SET;
    if (fcntl(fd, command, bytes) == 0)
        return 0;
    if (errno == EINVAL)
        return ENOLCK;
    return errno == EACCES ? EWOULDBLOCK : errno;
}

int ac_file_lock(int fd, int64_t offset)
{
    struct flock byte = {.l_type = F_WRLCK, .l_start = (off_t)offset, .l_len = 1};
    return lock_command(fd, F_OFD_SETLK, &byte);
}

int ac_file_unlock(int fd, int64_t offset)
{
    struct flock byte = {.l_type = F_UNLCK, .l_start = (off_t)offset, .l_len = 1};
    return lock_command(fd, F_OFD_SETLK, &byte);
}

void ac_file_unlock_all(int fd)
{
    struct flock whole = {.l_type = F_UNLCK};
    (void)lock_command(fd, F_OFD_SETLK, &whole);
}

int ac_file_probe(int fd, int64_t offset)
{
    struct flock byte = {.l_type = F_WRLCK, .l_start = (off_t)offset, .l_len = 1};
    int error = lock_command(fd, F_OFD_GETLK, &byte);
    return error == 0 && byte.l_type != F_UNLCK ? EWOULDBLOCK : error;
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

int ac_file_make_directory(const char *path, unsigned mode)
{
    struct stat about;
    /* The umask may have removed rights of `mode`. */
    if (mkdir(path, mode) == 0)
        return chmod(path, mode) == 0 ? 0 : errno;
    if (errno != EEXIST)
        return errno;
    if (stat(path, &about) != 0)
        return errno;
    return S_ISDIR(about.st_mode) ? 0 : ENOTDIR;
}

static int fill(int fd, struct ac_str bytes)
{
    size_t written;
    int error = ac_file_append(fd, bytes, &written);
    error = error != 0 ? error : ac_file_sync(fd);
    int closing = close(fd) != 0 ? errno : 0;
    return error != 0 ? error : closing;
}

/* 0 if the path may be replaced: nothing is there, or a regular file. Links are not followed. */
static int check_target(const char *path)
{
    struct stat about;
    if (lstat(path, &about) != 0)
        return errno == ENOENT ? 0 : errno;
    if (S_ISLNK(about.st_mode))
        return ELOOP;
    if (S_ISDIR(about.st_mode))
        return EISDIR;
    return S_ISREG(about.st_mode) ? 0 : EINVAL;
}

int ac_file_write(const char *path, const char *aside, struct ac_str bytes, enum ac_file_for whom)
{
    mode_t mode = whom == AC_FILE_FOR_OWNER ? 0600 : 0666; /* minus the umask */
    const char *made = whom == AC_FILE_NEW ? path : aside;
    int error = whom == AC_FILE_NEW ? 0 : check_target(path);
    if (error != 0)
        return error;
    int fd = open_retrying(made, O_WRONLY | O_CREAT | O_EXCL, mode);
    if (fd < 0)
        return errno;
    error = fill(fd, bytes);
    if (error == 0 && made == aside && rename(aside, path) != 0)
        error = errno;
    if (error != 0)
        (void)unlink(made);
    return error;
}
