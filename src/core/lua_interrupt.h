/* What a signal that ends the command finds under way: who resumes a coroutine says so. */
#ifndef AC_LUA_INTERRUPT_H
#define AC_LUA_INTERRUPT_H

#include "luax.h"

/* A coroutine that runs, or waits for one that it has resumed. */
struct acL_frame {
    lua_State *coroutine;
    struct acL_frame *previous;
};

/* Before a coroutine is resumed: signals of now and later reach it. False, and nothing to leave, in
 * a state that answers none. The frame belongs to the caller and stays where it is until then. */
bool acL_interrupt_enter(lua_State *L, lua_State *coroutine, struct acL_frame *frame);
void acL_interrupt_leave(const struct acL_frame *frame);

/* The signal that ends this command, 0 while there is none. */
int acL_interrupt_ending(void);

/* [-0, +0, m]  Puts what can be interrupted in the place of coroutine.resume, coroutine.wrap and
 * os.execute. */
void acL_resume_replace(lua_State *L);

#endif
