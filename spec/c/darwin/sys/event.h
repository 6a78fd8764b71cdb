/* The part of kqueue that src/common/sys.c uses, to compile its branch for macOS and the BSDs on a
 * system that has none. */
#ifndef STAND_IN_SYS_EVENT_H
#define STAND_IN_SYS_EVENT_H

#include <stdint.h>
#include <time.h>

#define EVFILT_READ (-1)
#define EVFILT_WRITE (-2)
#define EV_ADD 0x0001
#define EV_DELETE 0x0002

struct kevent {
    uintptr_t ident;
    int16_t filter;
    uint16_t flags;
    uint32_t fflags;
    intptr_t data;
    void *udata;
};

#define EV_SET(event, a, b, c, d, e, f)                                                            \
    (*(event) = (struct kevent){(uintptr_t)(a), (b), (c), (d), (e), (f)})

int kqueue(void);
int kevent(int queue, const struct kevent *changes, int n_changes, struct kevent *events,
           int n_events, const struct timespec *timeout);

#endif
