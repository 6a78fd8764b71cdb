#include "secret_pages.h"

#include "digest.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

bool ac_pages_open(struct ac_pages *pages, size_t max)
{
    *pages = (struct ac_pages){0};
    size_t page = (size_t)sysconf(_SC_PAGESIZE), size = (max + page) / page * page;
    void *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANON, -1, 0);
    if (p == MAP_FAILED)
        return false;
    (void)mlock(p, size);
#ifdef MADV_DONTDUMP
    (void)madvise(p, size, MADV_DONTDUMP);
#endif
    *pages = (struct ac_pages){p, 0, size};
    return true;
}

void ac_pages_close(struct ac_pages *pages)
{
    if (pages->p) {
        ac_digest_cleanse(pages->p, pages->mapped);
        munmap(pages->p, pages->mapped);
    }
    *pages = (struct ac_pages){0};
}

/* A text that outlives the call: strerror()'s may be overwritten by another thread. */
static const char *fault_of(int error)
{
    switch (error) {
    case ENOENT:
    case ENOTDIR:
        return "no such file";
    case EACCES:
    case EPERM:
        return "permission denied";
    default:
        return "it cannot be read";
    }
}

static bool read_all(int fd, struct ac_pages *pages, size_t size)
{
    while (pages->n < size) {
        ssize_t got = read(fd, pages->p + pages->n, size - pages->n);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return got == 0;
        pages->n += (size_t)got;
    }
    return true;
}

static bool read_open(int fd, struct ac_pages *pages, size_t max, struct ac_pages_file *file)
{
    struct stat about;
    file->fault = "it cannot be read";
    if (fstat(fd, &about) != 0)
        return false;
    file->mode = (unsigned)about.st_mode & 07777u;
    file->fault = "it is not a regular file";
    if (!S_ISREG(about.st_mode))
        return false;
    file->fault = "it is too large";
    if (about.st_size < 0 || (uintmax_t)about.st_size > max)
        return false;
    file->fault = "not enough memory";
    if (!ac_pages_open(pages, (size_t)about.st_size))
        return false;
    file->fault = "it cannot be read";
    return read_all(fd, pages, (size_t)about.st_size);
}

bool ac_pages_read(struct ac_pages *pages, const char *path, size_t max, struct ac_pages_file *file)
{
    *pages = (struct ac_pages){0};
    *file = (struct ac_pages_file){0};
    /* A pipe in the file's place must not hold us up before it is recognised. */
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0) {
        file->fault = fault_of(errno);
        return false;
    }
    bool ok = read_open(fd, pages, max, file);
    close(fd);
    if (!ok)
        ac_pages_close(pages);
    return ok;
}
