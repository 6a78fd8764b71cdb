/* What the operating system gives: clocks, randomness, waiting, descriptors, signals, pinning.
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

/* Seconds since 1970, and seconds of a clock that never jumps. */
double ac_sys_time(void);
double ac_sys_monotonic(void);
/* The same, and it goes on while the machine sleeps. */
double ac_sys_boottime(void);

/* False if the kernel has no randomness to give. */
bool ac_sys_random(unsigned char *out, size_t n);

/* Whether this process was confined: its hard limit of descriptors is 0, which nobody else sets and
 * nothing raises again. */
bool ac_sys_is_confined(void);

enum ac_sys_wait {
    AC_SYS_WAIT_NONE,  /* the time is over, or a signal came */
    AC_SYS_WAIT_READY, /* one of them is */
    AC_SYS_WAIT_BAD,   /* one of them is no open descriptor */
    AC_SYS_WAIT_MANY   /* they are more than this process may have open */
};

/* Waits until one of `n` descriptors is ready (n = 0: just waits) or the time is over; a signal
 * ends it early. Of `list` only the descriptors are the caller's to fill in. */
enum ac_sys_wait ac_sys_wait(struct pollfd *list, size_t n, int events, int timeout_ms);

/* The same for one. */
enum ac_sys_wait ac_sys_wait_for(int fd, int events, int timeout_ms);

/* A pipe that no program inherits. 0 or an errno. */
int ac_sys_pipe(int ends[2]);

/* Writes to a pipe whose reader may be gone, which is nobody's concern. */
void ac_sys_write_quietly(int fd, const char *bytes, size_t n);

/* A descriptor that becomes readable when any watched descriptor is ready (epoll, kqueue). */
int ac_sys_poller_open(void);
void ac_sys_poller_close(int poller);
/* In a forked child: lets go of the parent's, which the child may or may not have inherited. */
void ac_sys_poller_forget(int poller);
/* events 0 forgets the descriptor. False if the kernel refused, and errno says why. */
bool ac_sys_poller_watch(int poller, int fd, int events);
/* Up to `max` descriptors, waiting until one is ready or the time is over; returns how many. */
int ac_sys_poller_ready(int poller, int *fds, int *events, int max, int timeout_ms);

/* Keeps SIGPIPE from this thread between block and restore; dispositions stay as they are. */
struct ac_sys_sigpipe {
    sigset_t before;
    bool blocked;
};
void ac_sys_sigpipe_block(struct ac_sys_sigpipe *guard);
void ac_sys_sigpipe_restore(struct ac_sys_sigpipe *guard);

/* Keeps the shared object that holds `address` mapped for the life of the process: a resolver
 * thread may still run its code after the last Lua state is closed. */
void ac_sys_pin(const void *address);

#endif
