/* Operating system services: clocks, randomness, waiting, descriptors, signals, pinned libraries.
 *
 * Durations are milliseconds where the name says so and seconds (double) elsewhere.
 */
#ifndef AC_SYS_H
#define AC_SYS_H

#include "ac.h"

#include <poll.h>
#include <signal.h>

#define AC_SYS_READ 1
#define AC_SYS_WRITE 2

/* Seconds since 1970, and seconds of a clock that is never set back or forward. */
double ac_sys_time(void);
double ac_sys_monotonic(void);
/* Like ac_sys_monotonic(), but this clock also counts the time while the machine sleeps. */
double ac_sys_boottime(void);

/* Fills `out`. False if the kernel provides no random bytes. */
bool ac_sys_random(unsigned char *out, size_t n);

/* Whether this process was confined (src/confine): its hard limit of descriptors is then 0. Nothing
 * else sets that limit to 0, and it cannot be raised again. */
bool ac_sys_is_confined(void);

enum ac_sys_wait {
    AC_SYS_WAIT_NONE,  /* the timeout has passed, or a signal came */
    AC_SYS_WAIT_READY, /* a descriptor is ready */
    AC_SYS_WAIT_BAD,   /* an entry is not an open descriptor */
    AC_SYS_WAIT_MANY   /* more descriptors than this process may have open */
};

/* Waits until one of `n` descriptors is ready (n = 0: just waits), the timeout has passed or a
 * signal comes. The caller fills in only the field `fd` of each entry. */
enum ac_sys_wait ac_sys_wait(struct pollfd *list, size_t n, int events, int timeout_ms);

/* The same for one descriptor. */
enum ac_sys_wait ac_sys_wait_for(int fd, int events, int timeout_ms);

/* Opens a pipe that is closed on exec. Returns 0 or an errno. */
int ac_sys_pipe(int ends[2]);

/* Writes to a pipe. If its reader is gone, the bytes are lost without a signal or an error. */
void ac_sys_write_quietly(int fd, const char *bytes, size_t n);

/* Opens an epoll or kqueue: a descriptor that is readable when any watched descriptor is ready. */
int ac_sys_poller_open(void);
void ac_sys_poller_close(int poller);
/* In a forked child: drops the parent's poller, which the child may or may not have inherited. */
void ac_sys_poller_forget(int poller);
/* Watches a descriptor; events 0 stops watching it. False if the kernel refused, errno says why. */
bool ac_sys_poller_watch(int poller, int fd, int events);
/* Waits until a watched descriptor is ready or the timeout has passed. Fills in up to `max`
 * descriptors and their events; returns how many. */
int ac_sys_poller_ready(int poller, int *fds, int *events, int max, int timeout_ms);

/* Blocks SIGPIPE in this thread between block and restore, without changing its disposition. */
struct ac_sys_sigpipe {
    sigset_t before;
    bool blocked;
};
void ac_sys_sigpipe_block(struct ac_sys_sigpipe *guard);
void ac_sys_sigpipe_restore(struct ac_sys_sigpipe *guard);

/* Keeps the shared object that contains `address` mapped until the process ends: a resolver thread
 * may still run its code after the last Lua state is closed. */
void ac_sys_pin(const void *address);

#endif
