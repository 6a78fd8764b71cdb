/* Turns the signals that end a command (SIGINT, SIGTERM, SIGHUP) into a Lua error.
 *
 * The handler records the signal and sets a count hook on all running coroutines. The hook raises
 * "interrupted!", but only in code that is not the library's. So other code stops where it is, and
 * the library, which must not stop halfway, runs on until it calls checkpoint(). The signal stays
 * recorded until clear_interrupt(): code that catches the error gets it again.
 *
 * This is only for a program that owns its process; without answer_signals() nothing is changed.
 */
#include "lua_core.h"
#include "lua_interrupt.h"

#include "sys.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>

#define ANSWER_CLASS "alicloud.Signals"

/* The hook is called after so many instructions. */
#define STRIDE 7

/* Code that has caught the error has time to clean up before it is raised again: ROOM instructions,
 * less one for each time it was raised, or ROOM_SECONDS. The number shrinks, so that in
 * a loop around a pcall the error is raised outside of the pcall at some point. */
#define ROOM 1000
#define ROOM_SECONDS 0.2

/* A second signal within this time does not count: timeout(1) and some terminals send one to the
 * process and one to its group. */
#define SAME_SECONDS 0.5

/* `came` is the time when the handler saw the signal, 0 if it has not. */
struct answered {
    int number;
    bool taken;
    volatile double came;
    struct sigaction before;
};

static struct answered answers[] = {{.number = SIGINT}, {.number = SIGTERM}, {.number = SIGHUP}};
#define ANSWERS (sizeof answers / sizeof answers[0])

/* The signal that ends this command, 0 if none has come. */
static volatile sig_atomic_t ending;
static volatile sig_atomic_t shielded;
/* How often the hook has raised the error (at most ROOM), when it last did, and how many
 * instructions have run since. */
static volatile sig_atomic_t raised;
static double raised_at;
static int since;

/* The main coroutine of the Lua state that answers signals, or NULL; the registry of that state, to
 * recognise it; its thread; its coroutine that was resumed last. */
static lua_State *volatile command;
static const void *registry;
static pthread_t command_thread;
static struct acL_frame *volatile innermost;

static const char LIBRARY = 0;

/* [-0, +0, -]  Whether the function of `ar` belongs to the library, by its source file. */
static bool is_library(lua_State *L, lua_Debug *ar)
{
    bool is_below = false;
    lua_getinfo(L, "S", ar);
    lua_rawgetp(L, LUA_REGISTRYINDEX, &LIBRARY);
    lua_Integer n = (lua_Integer)lua_rawlen(L, -1);
    /* The first entry is the library's root, the others are exceptions below it. */
    for (lua_Integer i = 1; i <= n && (i == 1 || is_below); i++) {
        lua_rawgeti(L, -1, i);
        const char *place = lua_tostring(L, -1);
        if (strncmp(ar->source, place, strlen(place)) == 0)
            is_below = i == 1;
        lua_pop(L, 1);
    }
    lua_pop(L, 1);
    return is_below;
}

static void on_count(lua_State *L, lua_Debug *ar);

/* Keeps a hook that other code has set, because that code has a limit of its own. The first call
 * comes after one instruction, since the next instruction may be a call that waits for long. */
static void arm(lua_State *L)
{
    lua_Hook now = lua_gethook(L);
    if (!now || now == on_count)
        lua_sethook(L, on_count, LUA_MASKCOUNT, raised && raised < ROOM ? STRIDE : 1);
}

static void disarm(lua_State *L)
{
    if (lua_gethook(L) == on_count)
        lua_sethook(L, NULL, 0, 0);
}

static void for_all(void (*act)(lua_State *))
{
    act(command);
    for (struct acL_frame *frame = innermost; frame; frame = frame->previous)
        act(frame->coroutine);
}

static bool is_due(void)
{
    return !raised || since >= ROOM - raised || ac_sys_monotonic() - raised_at > ROOM_SECONDS;
}

/* [-0, +0, v] */
static void on_count(lua_State *L, lua_Debug *ar)
{
    if (!ending) {
        lua_sethook(L, NULL, 0, 0);
        return;
    }
    since += STRIDE;
    if (shielded || !is_due() || is_library(L, ar)) {
        lua_sethook(L, on_count, LUA_MASKCOUNT, STRIDE);
        return;
    }
    raised = raised < ROOM ? raised + 1 : ROOM;
    raised_at = ac_sys_monotonic();
    since = 0;
    for_all(arm);
    lua_pushliteral(L, "interrupted!");
    lua_error(L);
}

/* Runs in the thread of the state. A second signal of the same kind ends the process by its default
 * action. Of two kinds, one that does not come from the keyboard is reported. */
static void take(int number)
{
    double now = ac_sys_monotonic();
    struct answered *one = answers;
    while (one->number != number)
        one++;
    if (one->came > 0 && now - one->came > SAME_SECONDS) {
        const struct sigaction usual = {.sa_handler = SIG_DFL};
        sigaction(number, &usual, NULL);
        raise(number);
        return;
    }
    if (one->came <= 0)
        one->came = now;
    if (ending == 0 || ending == SIGINT)
        ending = number;
    if (command)
        for_all(arm);
}

/* The system may choose any thread. Only in the state's own thread does a signal end a wait. */
static void on_signal(int number)
{
    int saved = errno;
    if (pthread_equal(pthread_self(), command_thread))
        take(number);
    else
        pthread_kill(command_thread, number);
    errno = saved;
}

static void clear(void)
{
    ending = 0;
    raised = 0;
    for (size_t i = 0; i < ANSWERS; i++)
        answers[i].came = 0;
}

/* [-0, +0, -]  Restores the signal handlers; called when the state is closed. */
static int stop_answering(lua_State *L)
{
    if (lua_topointer(L, LUA_REGISTRYINDEX) != registry)
        return 0;
    for (size_t i = 0; i < ANSWERS; i++) {
        if (answers[i].taken)
            sigaction(answers[i].number, &answers[i].before, NULL);
        answers[i].taken = false;
    }
    command = NULL;
    registry = NULL;
    return 0;
}

/* Without SA_RESTART, so that system calls that wait return. Signals that are ignored stay ignored,
 * as under nohup. */
static void start_answering(struct answered *one)
{
    const struct sigaction answer = {.sa_handler = on_signal};
    if (one->taken || sigaction(one->number, NULL, &one->before) != 0)
        return;
    if (one->before.sa_handler == SIG_IGN)
        return;
    one->taken = sigaction(one->number, &answer, NULL) == 0;
}

bool acL_interrupt_enter(lua_State *L, lua_State *coroutine, struct acL_frame *frame)
{
    if (!registry || lua_topointer(L, LUA_REGISTRYINDEX) != registry)
        return false;
    *frame = (struct acL_frame){coroutine, innermost};
    atomic_signal_fence(memory_order_release); /* the handler may run right after the next line */
    innermost = frame;
    if (ending)
        arm(coroutine);
    return true;
}

void acL_interrupt_leave(const struct acL_frame *frame)
{
    innermost = frame->previous;
}

int acL_interrupt_ending(void)
{
    return ending;
}

/* [-2, +0, v]  Keeps the root and the exceptions as an array in the registry. */
static void keep_library(lua_State *L)
{
    luaL_checkstring(L, 1);
    luaL_checktype(L, 2, LUA_TTABLE);
    lua_Integer n = (lua_Integer)lua_rawlen(L, 2);
    lua_createtable(L, (int)n + 1, 0);
    lua_pushvalue(L, 1);
    lua_rawseti(L, -2, 1);
    for (lua_Integer i = 1; i <= n; i++) {
        if (lua_rawgeti(L, 2, i) != LUA_TSTRING)
            luaL_argerror(L, 2, "an array of strings");
        lua_rawseti(L, -2, i + 1);
    }
    lua_rawsetp(L, LUA_REGISTRYINDEX, &LIBRARY);
}

/* [-2, +0, v]  answer_signals(root, open): SIGINT, SIGTERM and SIGHUP interrupt this process,
 * unless they are ignored; for commands. Chunks whose source begins with `root` are the library's
 * and are not interrupted, unless their source begins with an entry of `open`. */
static int interrupt_answer(lua_State *L)
{
    keep_library(L);
    luaL_argcheck(L, !registry || registry == lua_topointer(L, LUA_REGISTRYINDEX), 1,
                  "another Lua state of this process answers them");
    lua_newuserdatauv(L, 1, 0);
    luaL_setmetatable(L, ANSWER_CLASS);
    lua_setfield(L, LUA_REGISTRYINDEX, ANSWER_CLASS ".kept");
    acL_resume_replace(L);
    lua_rawgeti(L, LUA_REGISTRYINDEX, LUA_RIDX_MAINTHREAD);
    command_thread = pthread_self();
    registry = lua_topointer(L, LUA_REGISTRYINDEX);
    command = lua_tothread(L, -1);
    for (size_t i = 0; i < ANSWERS; i++)
        start_answering(&answers[i]);
    return 0;
}

/* [-0, +1, -]  ended_by() -> number of the signal that has come | nil */
static int interrupt_ended_by(lua_State *L)
{
    if (ending)
        lua_pushinteger(L, ending);
    else
        luaL_pushfail(L);
    return 1;
}

/* [-0, +0, v]  checkpoint(): raises "interrupted!" if a signal has come, unless it is shielded */
static int interrupt_checkpoint(lua_State *L)
{
    if (!ending || shielded)
        return 0;
    lua_pushliteral(L, "interrupted!");
    return lua_error(L);
}

/* [-0, +0, -]  clear_interrupt(): forgets the signals that have come */
static int interrupt_clear(lua_State *L)
{
    clear();
    if (registry && lua_topointer(L, LUA_REGISTRYINDEX) == registry)
        for_all(disarm);
    return 0;
}

/* [-1, +1, -]  shield_interrupt(wanted) -> value before; while it is true, nothing is raised */
static int interrupt_shield(lua_State *L)
{
    bool wanted = lua_toboolean(L, 1);
    lua_pushboolean(L, shielded);
    shielded = wanted;
    return 1;
}

/* [-1, +0, -] */
static int set_interrupt(lua_State *L)
{
    const struct sigaction ignore = {.sa_handler = SIG_IGN};
    bool wanted = lua_toboolean(L, 1);
    sigaction(SIGINT, wanted ? lua_touserdata(L, lua_upvalueindex(1)) : &ignore, NULL);
    return 0;
}

/* [-0, +1, m]  keep_interrupt() -> function(wanted): true restores the handling of SIGINT as it is
 * now, false ignores it; for commands that leave the terminal to another program */
static int interrupt_keep(lua_State *L)
{
    sigaction(SIGINT, NULL, lua_newuserdatauv(L, sizeof(struct sigaction), 0));
    lua_pushcclosure(L, set_interrupt, 1);
    return 1;
}

static const luaL_Reg FUNCTIONS[] = {{"answer_signals", interrupt_answer},
                                     {"ended_by", interrupt_ended_by},
                                     {"checkpoint", interrupt_checkpoint},
                                     {"clear_interrupt", interrupt_clear},
                                     {"shield_interrupt", interrupt_shield},
                                     {"keep_interrupt", interrupt_keep},
                                     {NULL, NULL}};

static const luaL_Reg METAMETHODS[] = {{"__gc", stop_answering}, {NULL, NULL}};

void acL_interrupt_open(lua_State *L)
{
    acL_class(L, ANSWER_CLASS, NULL, METAMETHODS);
    luaL_setfuncs(L, FUNCTIONS, 0);
}
