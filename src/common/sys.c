#include "sys.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#if defined(__APPLE__)
#include <sys/random.h>
#endif
#if defined(__linux__)
#include <sys/epoll.h>
#else
#include <sys/event.h>
#include <sys/time.h>
#include <sys/types.h>
#endif

static double clock_seconds(clockid_t id)
{
    struct timespec now;
    clock_gettime(id, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

double ac_sys_time(void)
{
    return clock_seconds(CLOCK_REALTIME);
}

double ac_sys_monotonic(void)
{
    return clock_seconds(CLOCK_MONOTONIC);
}

/* On Linux CLOCK_MONOTONIC stops during sleep. On macOS it goes on; there is no CLOCK_BOOTTIME. */
double ac_sys_boottime(void)
{
#if defined(CLOCK_BOOTTIME)
    return clock_seconds(CLOCK_BOOTTIME);
#else
    return clock_seconds(CLOCK_MONOTONIC);
#endif
}

bool ac_sys_random(unsigned char *out, size_t n)
{
    while (n > 0) {
        size_t slice = n < 256 ? n : 256; /* getentropy's limit */
        if (getentropy(out, slice) != 0)
            return false;
        out += slice;
        n -= slice;
    }
    return true;
}

bool ac_sys_is_confined(void)
{
    struct rlimit limit;
    return getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_max == 0;
}

enum ac_sys_wait ac_sys_wait(struct pollfd *list, size_t n, int events, int timeout_ms)
{
    short wanted =
        (short)((events & AC_SYS_READ ? POLLIN : 0) | (events & AC_SYS_WRITE ? POLLOUT : 0));
    for (size_t i = 0; i < n; i++)
        list[i].events = wanted;
    int ready = poll(list, (nfds_t)n, timeout_ms);
    if (ready <= 0)
        return ready < 0 && errno == EINVAL ? AC_SYS_WAIT_MANY : AC_SYS_WAIT_NONE;
    for (size_t i = 0; i < n; i++)
        if (list[i].revents & POLLNVAL)
            return AC_SYS_WAIT_BAD;
    return AC_SYS_WAIT_READY;
}

enum ac_sys_wait ac_sys_wait_for(int fd, int events, int timeout_ms)
{
    struct pollfd one = {.fd = fd};
    return ac_sys_wait(&one, 1, events, timeout_ms);
}

int ac_sys_pipe(int ends[2])
{
#if defined(__linux__)
    return pipe2(ends, O_CLOEXEC) == 0 ? 0 : errno;
#else
    if (pipe(ends) != 0)
        return errno;
    fcntl(ends[0], F_SETFD, FD_CLOEXEC);
    fcntl(ends[1], F_SETFD, FD_CLOEXEC);
    return 0;
#endif
}

void ac_sys_write_quietly(int fd, const char *bytes, size_t n)
{
    struct ac_sys_sigpipe guard;
    ac_sys_sigpipe_block(&guard);
    while (write(fd, bytes, n) < 0 && errno == EINTR)
        continue;
    ac_sys_sigpipe_restore(&guard);
}

void ac_sys_poller_close(int poller)
{
    if (poller >= 0)
        close(poller);
}

#if defined(__linux__)

int ac_sys_poller_open(void)
{
    return epoll_create1(EPOLL_CLOEXEC);
}

void ac_sys_poller_forget(int poller)
{
    ac_sys_poller_close(poller);
}

bool ac_sys_poller_watch(int poller, int fd, int events)
{
    struct epoll_event event = {.data.fd = fd};
    if (events == 0) {
        /* The descriptor may be closed already; then the kernel no longer watches it. */
        epoll_ctl(poller, EPOLL_CTL_DEL, fd, &event);
        return true;
    }
    if (events & AC_SYS_READ)
        event.events |= EPOLLIN;
    if (events & AC_SYS_WRITE)
        event.events |= EPOLLOUT;
    if (epoll_ctl(poller, EPOLL_CTL_MOD, fd, &event) == 0)
        return true;
    return errno == ENOENT && epoll_ctl(poller, EPOLL_CTL_ADD, fd, &event) == 0;
}

int ac_sys_poller_ready(int poller, int *fds, int *events, int max, int timeout_ms)
{
    struct epoll_event ready[16];
    int n = epoll_wait(poller, ready, max < 16 ? max : 16, timeout_ms);
    for (int i = 0; i < n; i++) {
        fds[i] = ready[i].data.fd;
        events[i] = 0;
        if (ready[i].events & (EPOLLIN | EPOLLERR | EPOLLHUP))
            events[i] |= AC_SYS_READ;
        if (ready[i].events & (EPOLLOUT | EPOLLERR | EPOLLHUP))
            events[i] |= AC_SYS_WRITE;
    }
    return n < 0 ? 0 : n;
}

#else

int ac_sys_poller_open(void)
{
    return kqueue();
}

/* A child does not inherit a kqueue, so this number is not open or is another file in the child. */
void ac_sys_poller_forget(int poller)
{
    (void)poller;
}

static bool watch_one(int poller, int fd, int filter, bool on)
{
    struct kevent change;
    EV_SET(&change, fd, filter, on ? EV_ADD : EV_DELETE, 0, 0, NULL);
    return kevent(poller, &change, 1, NULL, 0, NULL) == 0 || !on;
}

bool ac_sys_poller_watch(int poller, int fd, int events)
{
    return watch_one(poller, fd, EVFILT_READ, events & AC_SYS_READ) &&
           watch_one(poller, fd, EVFILT_WRITE, events & AC_SYS_WRITE);
}

int ac_sys_poller_ready(int poller, int *fds, int *events, int max, int timeout_ms)
{
    struct kevent ready[16];
    struct timespec limit = {timeout_ms / 1000, timeout_ms % 1000 * 1000000L};
    int n = kevent(poller, NULL, 0, ready, max < 16 ? max : 16, &limit);
    for (int i = 0; i < n; i++) {
        fds[i] = (int)ready[i].ident;
        events[i] = ready[i].filter == EVFILT_WRITE ? AC_SYS_WRITE : AC_SYS_READ;
    }
    return n < 0 ? 0 : n;
}

#endif

void ac_sys_sigpipe_block(struct ac_sys_sigpipe *guard)
{
    sigset_t pipe_only;
    sigemptyset(&pipe_only);
    sigaddset(&pipe_only, SIGPIPE);
    /* If SIGPIPE was blocked before, one may be pending that is not ours and must stay pending. */
    guard->blocked = pthread_sigmask(SIG_BLOCK, &pipe_only, &guard->before) == 0 &&
                     !sigismember(&guard->before, SIGPIPE);
}

void ac_sys_sigpipe_restore(struct ac_sys_sigpipe *guard)
{
    if (!guard->blocked)
        return;
    sigset_t pipe_only, pending;
    sigemptyset(&pending);
    sigpending(&pending);
    if (sigismember(&pending, SIGPIPE)) {
        sigemptyset(&pipe_only);
        sigaddset(&pipe_only, SIGPIPE);
#ifdef __APPLE__
        int taken;
        sigwait(&pipe_only, &taken);
#else
        /* Does not wait: another thread may have taken the signal meanwhile. */
        const struct timespec now = {0, 0};
        sigtimedwait(&pipe_only, NULL, &now);
#endif
    }
    pthread_sigmask(SIG_SETMASK, &guard->before, NULL);
}

void ac_sys_pin(const void *address)
{
    Dl_info info;
    if (dladdr(address, &info) != 0 && info.dli_fname)
        (void)dlopen(info.dli_fname, RTLD_NOW | RTLD_NOLOAD | RTLD_NODELETE);
}
