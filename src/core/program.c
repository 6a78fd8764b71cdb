#include "program.h"

#include "file.h"
#include "sys.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#if defined(__linux__)
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#endif

/* How often a killed program is waited for, a millisecond each; after that it is left alone. */
#define REAP_TRIES 50

#if defined(__linux__) && defined(SYS_pidfd_open)

/* pidfd_open: Linux 5.3. */
static int open_end(pid_t pid)
{
    struct rlimit limit;
    int fd = (int)syscall(SYS_pidfd_open, pid, 0);
    /* When descriptors become scarce, other code needs them more. */
    if (fd >= 0 && getrlimit(RLIMIT_NOFILE, &limit) == 0 && (rlim_t)fd > limit.rlim_cur / 2)
        ac_file_close(&fd);
    return fd;
}

/* As in linux/pidfd.h of 6.15: says how a process ended even if somebody else has waited for it. */
struct end_info {
    uint64_t mask, cgroup;
    uint32_t ids[11];
    int32_t status;
};
#define GET_END_INFO _IOWR(0xff, 11, struct end_info)
#define HAS_END_INFO ((uint64_t)1 << 3)

static bool ask_kernel(int fd, int *status)
{
    struct end_info info = {.mask = HAS_END_INFO};
    if (fd < 0 || ioctl(fd, GET_END_INFO, &info) != 0 || !(info.mask & HAS_END_INFO))
        return false;
    *status = info.status;
    return true;
}

#else

static int open_end(pid_t pid)
{
    (void)pid;
    return -1;
}

static bool ask_kernel(int fd, int *status)
{
    (void)fd, (void)status;
    return false;
}

#endif

/* Whether the host ignores the ends of its children, or may wait for them before we do. */
static bool are_ends_taken(void)
{
    sigset_t blocked;
    struct sigaction now;
    if (sigaction(SIGCHLD, NULL, &now) != 0 || now.sa_handler != SIG_DFL ||
        (now.sa_flags & (int)SA_NOCLDWAIT) != 0)
        return true;
    return pthread_sigmask(SIG_SETMASK, NULL, &blocked) == 0 && sigismember(&blocked, SIGCHLD) == 1;
}

static int is_runnable(const char *path)
{
    struct stat about;
    if (faccessat(AT_FDCWD, path, X_OK, AT_EACCESS) != 0 || stat(path, &about) != 0)
        return errno;
    return S_ISREG(about.st_mode) ? 0 : EACCES;
}

/* Finds a program where posix_spawnp() would: a shell would prefer its built-in commands. */
static int find(const char *name, char path[PATH_MAX])
{
    const char *at = getenv("PATH");
    int error = ENOENT;
    at = at ? at : "/bin:/usr/bin";
    if (strchr(name, '/'))
        return snprintf(path, PATH_MAX, "%s", name) < PATH_MAX ? is_runnable(path) : ENAMETOOLONG;
    for (; at && *name; at = *at ? at + 1 : NULL) {
        size_t n = strcspn(at, ":");
        int length = snprintf(path, PATH_MAX, "%.*s/%s", n ? (int)n : 1, n ? at : ".", name);
        int fault = length < PATH_MAX ? is_runnable(path) : ENOENT;
        if (fault == 0)
            return 0;
        error = fault == EACCES ? EACCES : error;
        at += n;
    }
    return error;
}

/* The shell in between. It starts the program when it has read a line from descriptor 3, so that no
 * program runs before it is leashed. GO_AND_TELL also writes the exit code to descriptor 4. Its own
 * standard error is /dev/null, or it would print a message if a signal ended the program. */
static const char GO[] = "read -r go <&3 && exec \"$@\" 3<&-";
static const char GO_AND_TELL[] = "exec 5>&2 2>/dev/null\n"
                                  "read -r go <&3 && (exec \"$@\" 2>&5 3<&- 4>&- 5>&-)\n"
                                  "echo \"$?\" >&4";

static int spawn_through_shell(struct ac_program *program, char *const argv[],
                               char *const environment[], const int files[5], bool tells)
{
    char path[PATH_MAX];
    size_t n = 0;
    int error = find(argv[0], path);
    if (error)
        return error;
    while (argv[n])
        n++;
    char **words = malloc((n + 5) * sizeof *words);
    if (!words)
        return ENOMEM;
    words[0] = (char *)AC_LEASH_SHELL;
    words[1] = (char *)"-c";
    words[2] = (char *)(tells ? GO_AND_TELL : GO);
    words[3] = (char *)"sh";
    words[4] = path;
    for (size_t i = 1; i <= n; i++)
        words[4 + i] = argv[i];
    error = ac_spawn(&program->pid, words, environment, files, tells ? 5 : 4);
    free(words);
    return error;
}

static int start_held(struct ac_program *program, char *const argv[], char *const environment[],
                      const int files[3], bool leashed, bool tells)
{
    int gate[2] = {-1, -1}, told[2] = {-1, -1};
    int error = ac_sys_pipe(gate);
    error = error || !tells ? error : ac_sys_pipe(told);
    /* The shell duplicates its standard error, so one must be open even if the host has none. */
    bool is_mute = files[2] == AC_SPAWN_MINE && fcntl(STDERR_FILENO, F_GETFD) < 0;
    const int all[] = {files[0], files[1], is_mute ? AC_SPAWN_NOTHING : files[2], gate[0], told[1]};
    if (!error)
        error = spawn_through_shell(program, argv, environment, all, tells);
    ac_file_close(&gate[0]);
    ac_file_close(&told[1]);
    program->told = told[0];
    if (told[0] >= 0)
        fcntl(told[0], F_SETFL, O_NONBLOCK);
    program->leashed = !error && leashed && ac_leash_hold(program->pid);
    if (!error)
        ac_sys_write_quietly(gate[1], "go\n", 3);
    ac_file_close(&gate[1]);
    return error;
}

static int begin(struct ac_program *program)
{
    *program = AC_PROGRAM_NONE;
    program->owner = getpid();
    return ac_sys_is_confined() ? EPERM : 0;
}

int ac_program_start(struct ac_program *program, char *const argv[], char *const environment[],
                     const int *files, int n)
{
    int error = begin(program);
    if (!error)
        error = ac_spawn(&program->pid, argv, environment, files, n);
    if (error)
        program->pid = 0;
    return error;
}

int ac_program_start_watched(struct ac_program *program, char *const argv[],
                             char *const environment[], const int files[3], bool leashed)
{
    int error = begin(program);
    bool tells = are_ends_taken();
    environment = environment ? environment : ac_spawn_environment();
    if (!error && (leashed || tells) && is_runnable(AC_LEASH_SHELL) == 0)
        error = start_held(program, argv, environment, files, leashed, tells);
    else if (!error)
        error = ac_spawn(&program->pid, argv, environment, files, 3);
    if (error)
        program->pid = 0;
    else
        program->ended = open_end(program->pid);
    return error;
}

const char *ac_program_fault(int error)
{
    if (error == EPERM && ac_sys_is_confined())
        return "a confined process starts no programs";
    if (error == ENOENT || error == ENOTDIR)
        return "no such program";
    if (error == EACCES || error == ENOEXEC)
        return "it is not a program that may be run";
    if (error == EMFILE || error == ENFILE)
        return "too many open files";
    if (error == EAGAIN)
        return "too many processes";
    return error == ENOMEM ? "not enough memory" : "it cannot be started";
}

void ac_program_kill(const struct ac_program *program)
{
    if (program->pid > 0)
        kill(-program->pid, SIGKILL);
}

/* Reads the exit code from the shell in between; false while it may still come. */
static bool is_told(struct ac_program *program)
{
    char text[16];
    ssize_t n = 0;
    if (program->told < 0)
        return true;
    do
        n = read(program->told, text, sizeof text - 1);
    while (n < 0 && errno == EINTR);
    if (n < 0 && errno == EAGAIN)
        return false;
    if (n > 0) {
        text[n] = '\0';
        program->exit_code = (int)strtol(text, NULL, 10);
    }
    ac_file_close(&program->told);
    return true;
}

static void learn(struct ac_program *program, int status)
{
    if (program->exit_code >= 0)
        return;
    if (WIFEXITED(status))
        program->exit_code = WEXITSTATUS(status);
    if (WIFSIGNALED(status))
        program->signal = WTERMSIG(status);
}

static void let_go(struct ac_program *program)
{
    if (program->leashed)
        ac_leash_drop(program->pid);
    program->leashed = false;
    program->pid = 0;
}

bool ac_program_reap(struct ac_program *program)
{
    int status;
    if (program->pid <= 0)
        return true;
    if (!is_told(program))
        return false;
    pid_t got = waitpid(program->pid, &status, WNOHANG);
    if (got == 0 || (got < 0 && errno == EINTR))
        return false;
    if (got > 0 || ask_kernel(program->ended, &status))
        learn(program, status);
    let_go(program);
    return true;
}

double ac_program_computed(const struct ac_program *program)
{
#if defined(_POSIX_CPUTIME) && _POSIX_CPUTIME >= 0
    clockid_t id;
    struct timespec spent;
    if (program->pid > 0 && clock_getcpuclockid(program->pid, &id) == 0 &&
        clock_gettime(id, &spent) == 0)
        return (double)spent.tv_sec + (double)spent.tv_nsec / 1e9;
#else
    (void)program;
#endif
    return -1;
}

void ac_program_end(struct ac_program *program)
{
    if (program->owner == getpid()) {
        ac_program_kill(program);
        for (int i = 0; i < REAP_TRIES; i++) {
            if (ac_program_reap(program) && ac_leash_reap())
                break;
            ac_sys_wait(NULL, 0, 0, 1);
        }
        let_go(program);
    }
    program->pid = 0;
    ac_file_close(&program->ended);
    ac_file_close(&program->told);
}
