/* Which descriptors the poller watches, with as few words to the kernel as possible.
 *
 * Between two requests libcurl has its connection forgotten and watched again. For sockets whose
 * closing is announced, the kernel goes on watching meanwhile, and is told only when the idle
 * connection really says something.
 */
#ifndef AC_WATCH_H
#define AC_WATCH_H

#include "ac.h"

struct ac_watch_state {
    unsigned char wanted; /* AC_SYS_… */
    unsigned char kernel; /* what the kernel was told */
    bool owned;           /* ac_watch_disown() will be called before it is closed */
};

#define AC_WATCH_MAX 16

struct ac_watch {
    int poller;
    int found; /* by ac_watch_wait(), and not asked for yet */
    int fds[AC_WATCH_MAX];
    int events[AC_WATCH_MAX];
    struct ac_watch_state *states; /* by descriptor */
    int count;
};

/* Nothing is watched yet; the poller stays the caller's. */
void ac_watch_init(struct ac_watch *watch, int poller);
void ac_watch_free(struct ac_watch *watch);

/* A socket that was opened, and one that is going to be closed. */
void ac_watch_own(struct ac_watch *watch, int fd);
void ac_watch_disown(struct ac_watch *watch, int fd);

/* Events 0: no more. */
void ac_watch_set(struct ac_watch *watch, int fd, int events);

/* Waits until something is ready; what it was is kept for ac_watch_ready(). */
void ac_watch_wait(struct ac_watch *watch, int timeout_ms);

/* The descriptors that are ready for something that is wanted; never waits. Returns how many. */
int ac_watch_ready(struct ac_watch *watch, int fds[AC_WATCH_MAX], int events[AC_WATCH_MAX]);

#endif
