#include "secret_pages.h"

#include "buf.h"

#include "file.h"
#include "sys.h"

#include <errno.h>
#include <sys/mman.h>
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
        ac_wipe(pages->p, pages->mapped);
        munmap(pages->p, pages->mapped);
    }
    *pages = (struct ac_pages){0};
}

static const char *fault_of(int error)
{
    if (error == ENOENT || error == ENOTDIR)
        return "no such file";
    if (error == EPERM && ac_sys_is_confined())
        return "a confined process opens no files";
    if (error == EACCES || error == EPERM)
        return "permission denied";
    if (error == EINVAL)
        return "it is not a regular file";
    if (error == EFBIG)
        return "it is too large";
    return error == ENOMEM ? "not enough memory" : "it cannot be read";
}

const char *ac_pages_read(struct ac_pages *pages, const char *path, size_t max, unsigned *mode)
{
    int fd = -1;
    struct ac_file_stat about = {0};
    *pages = (struct ac_pages){0};
    int error = ac_sys_is_confined() ? EPERM : ac_file_open(&fd, path, AC_FILE_READ_LINKED, 0);
    if (error == 0)
        error = ac_file_stat(fd, &about);
    if (error == 0 && (uint64_t)about.bytes > max)
        error = EFBIG;
    if (error == 0 && !ac_pages_open(pages, (size_t)about.bytes))
        error = ENOMEM;
    if (error == 0)
        error = ac_file_read(fd, 0, pages->p, (size_t)about.bytes, &pages->n);
    ac_file_close(&fd);
    if (error != 0)
        ac_pages_close(pages);
    *mode = about.mode;
    return error == 0 ? NULL : fault_of(error);
}
