/* Which coroutines a signal must interrupt: code that resumes a coroutine registers it here. */
#ifndef AC_LUA_INTERRUPT_H
#define AC_LUA_INTERRUPT_H

#include "luax.h"

/* A coroutine that is running, or is waiting for one that it has resumed. */
struct acL_frame {
    lua_State *coroutine;
    struct acL_frame *previous;
};

/* Call before resuming a coroutine: signals then reach it, also those that have come before. False
 * in a state that answers no signals; then there is nothing to leave. `frame` belongs to the caller
 * and must stay valid until acL_interrupt_leave(). */
bool acL_interrupt_enter(lua_State *L, lua_State *coroutine, struct acL_frame *frame);
void acL_interrupt_leave(const struct acL_frame *frame);

/* The signal that ends this command, 0 if none has come. */
int acL_interrupt_ending(void);

/* [-0, +0, m]  Replaces coroutine.resume, coroutine.wrap and os.execute by versions that a signal
 * can interrupt. */
void acL_resume_replace(lua_State *L);

#endif
