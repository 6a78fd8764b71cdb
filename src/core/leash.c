#include "leash.h"

#include "file.h"
#include "spawn.h"
#include "sys.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

/* The shell ignores signals that are sent to all that a command has started: it must end last. */
static const char SCRIPT[] =
    "trap '' HUP INT TERM\n"
    "held=\n"
    "while read -r what group; do\n"
    "  kept=\n"
    "  for one in $held; do [ \"$one\" = \"$group\" ] || kept=\"$kept $one\"; done\n"
    "  [ \"$what\" = drop ] || kept=\"$kept $group\"\n"
    "  held=$kept\n"
    "done\n"
    "for group in $held; do kill -s KILL -- \"-$group\"; done";

/* Shared by all Lua states of this process. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct {
    pid_t owner; /* the process that started the shell */
    pid_t pid;   /* of the shell, 0 if there is none */
    int fd;      /* our end of its pipe, or -1 */
    size_t held;
} leash = {.fd = -1};

/* A forked child drops what it has inherited: that shell belongs to its parent. */
static void own_process(void)
{
    if (leash.owner == getpid())
        return;
    ac_file_close(&leash.fd);
    leash.owner = getpid();
    leash.pid = 0;
    leash.held = 0;
}

static bool is_gone(void)
{
    if (leash.pid > 0 && waitpid(leash.pid, NULL, WNOHANG) != 0)
        leash.pid = 0;
    return leash.pid <= 0;
}

static bool start(void)
{
    int ends[2];
    char *const argv[] = {(char *)AC_LEASH_SHELL, (char *)"-c", (char *)SCRIPT, NULL};
    char *const environment[] = {NULL};
    ac_file_close(&leash.fd);
    /* A shell that is no longer needed was killed as well, so this wait is short. */
    while (leash.pid > 0 && waitpid(leash.pid, NULL, 0) < 0 && errno == EINTR)
        continue;
    leash.pid = 0;
    if (ac_sys_pipe(ends) != 0)
        return false;
    const int files[] = {ends[0], AC_SPAWN_NOTHING, AC_SPAWN_NOTHING};
    if (ac_spawn(&leash.pid, argv, environment, files, 3) != 0)
        leash.pid = 0;
    ac_file_close(&ends[0]);
    leash.fd = ends[1];
    if (leash.pid == 0)
        ac_file_close(&leash.fd);
    return leash.pid != 0;
}

static void tell(const char *what, pid_t group)
{
    char line[48];
    int n = snprintf(line, sizeof line, "%s %ld\n", what, (long)group);
    if (leash.fd >= 0)
        ac_sys_write_quietly(leash.fd, line, (size_t)n);
}

bool ac_leash_hold(pid_t group)
{
    pthread_mutex_lock(&lock);
    own_process();
    bool is_there = (leash.fd >= 0 && !is_gone()) || start();
    if (is_there) {
        leash.held++;
        tell("hold", group);
    }
    pthread_mutex_unlock(&lock);
    return is_there;
}

void ac_leash_drop(pid_t group)
{
    pthread_mutex_lock(&lock);
    own_process();
    if (leash.held > 0 && --leash.held == 0) {
        /* Killed before its pipe ends, since it would then kill the groups that it still holds. */
        if (leash.pid > 0)
            kill(leash.pid, SIGKILL);
        ac_file_close(&leash.fd);
    }
    tell("drop", group);
    pthread_mutex_unlock(&lock);
}

bool ac_leash_reap(void)
{
    pthread_mutex_lock(&lock);
    own_process();
    bool is_done = leash.held > 0 || is_gone();
    pthread_mutex_unlock(&lock);
    return is_done;
}
