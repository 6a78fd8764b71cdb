#include "watch.h"

#include "sys.h"

#include <stdlib.h>

void ac_watch_init(struct ac_watch *watch, int poller)
{
    *watch = (struct ac_watch){.poller = poller};
}

void ac_watch_free(struct ac_watch *watch)
{
    free(watch->states);
    ac_watch_init(watch, watch->poller);
}

/* NULL for a descriptor that nothing is known about. */
static struct ac_watch_state *state_of(const struct ac_watch *watch, int fd)
{
    return fd >= 0 && fd < watch->count ? &watch->states[fd] : NULL;
}

static bool make_room(struct ac_watch *watch, int fd)
{
    int count = watch->count ? watch->count : 64;
    if (fd < watch->count)
        return true;
    while (count <= fd && count <= INT32_MAX / 2)
        count *= 2;
    struct ac_watch_state *states = realloc(watch->states, (size_t)count * sizeof *states);
    if (!states)
        return false;
    memset(states + watch->count, 0, (size_t)(count - watch->count) * sizeof *states);
    watch->states = states;
    watch->count = count;
    return true;
}

/* Without memory it is watched all the same, only not between requests. */
void ac_watch_own(struct ac_watch *watch, int fd)
{
    if (fd >= 0 && make_room(watch, fd))
        watch->states[fd] = (struct ac_watch_state){.owned = true};
}

void ac_watch_disown(struct ac_watch *watch, int fd)
{
    struct ac_watch_state *state = state_of(watch, fd);
    if (!state)
        return;
    if (state->kernel)
        ac_sys_poller_watch(watch->poller, fd, 0);
    *state = (struct ac_watch_state){0};
}

void ac_watch_set(struct ac_watch *watch, int fd, int events)
{
    struct ac_watch_state *state = state_of(watch, fd);
    if (!state || !state->owned) {
        ac_sys_poller_watch(watch->poller, fd, events);
        return;
    }
    state->wanted = (unsigned char)events;
    if (events == 0 || events == state->kernel)
        return;
    bool told = ac_sys_poller_watch(watch->poller, fd, events);
    state->kernel = told ? (unsigned char)events : 0;
}

void ac_watch_wait(struct ac_watch *watch, int timeout_ms)
{
    watch->found = ac_sys_poller_ready(watch->poller, watch->fds, watch->events, AC_WATCH_MAX,
                                       watch->found > 0 ? 0 : timeout_ms);
}

int ac_watch_ready(struct ac_watch *watch, int fds[AC_WATCH_MAX], int events[AC_WATCH_MAX])
{
    int kept = 0;
    if (watch->found == 0)
        ac_watch_wait(watch, 0);
    for (int i = 0; i < watch->found; i++) {
        int fd = watch->fds[i];
        struct ac_watch_state *state = state_of(watch, fd);
        if (state && state->owned && state->wanted == 0) {
            ac_sys_poller_watch(watch->poller, fd, 0);
            state->kernel = 0;
            continue;
        }
        fds[kept] = fd;
        events[kept++] = watch->events[i];
    }
    watch->found = 0;
    return kept;
}
