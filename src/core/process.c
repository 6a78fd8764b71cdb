#include "process.h"

#include "file.h"
#include "sys.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

/* The most bytes that are kept of an output over its maximum, so that a program that never stops
 * writing does not fill the file system. */
#define OVERFLOW_MAX_BYTES ((uint64_t)64 * 1024 * 1024)
/* The most reads in one step, so that a program that writes without end does not keep step() from
 * returning. */
#define READS_MAX 16

/* After a program has ended, the output that its children still write is read for this long. */
#define GRACE_SECONDS 0.1
/* How often the end of a program is looked for if no descriptor reports it. More often when its
 * output is closed, since nothing else wakes the caller then. */
#define LOOK_SECONDS 0.2
#define LOOK_OFTEN_SECONDS 0.01

struct ac_process ac_process_none(size_t max, const char *path)
{
    return (struct ac_process){.program = AC_PROGRAM_NONE,
                               .poller = -1,
                               .fd = -1,
                               .errors = -1,
                               .max = max,
                               .overflow = {path, -1, 0, 0}};
}

static void unwatch(const struct ac_process *process, int fd)
{
    if (fd >= 0 && process->poller >= 0 && process->program.owner == getpid())
        ac_sys_poller_watch(process->poller, fd, 0);
}

static void stop_reading(const struct ac_process *process, int *fd)
{
    unwatch(process, *fd);
    ac_file_close(fd);
}

static void close_poller(struct ac_process *process)
{
    if (process->poller >= 0 && process->program.owner == getpid())
        ac_sys_poller_close(process->poller);
    else if (process->poller >= 0)
        ac_sys_poller_forget(process->poller);
    process->poller = -1;
}

void ac_process_end(struct ac_process *process)
{
    ac_file_close(&process->fd);
    ac_file_close(&process->errors);
    ac_file_close(&process->overflow.fd);
    close_poller(process);
    ac_program_end(&process->program);
    ac_pages_close(&process->output);
}

/* Opens a pipe; its reading end does not block. */
static int open_reader(int *reading, int *writing)
{
    int ends[2];
    int error = ac_sys_is_confined() ? EPERM : ac_sys_pipe(ends);
    if (error)
        return error;
    *reading = ends[0];
    *writing = ends[1];
    fcntl(*reading, F_SETFL, O_NONBLOCK);
    return 0;
}

static bool watch(const struct ac_process *process, int fd)
{
    return fd < 0 || ac_sys_poller_watch(process->poller, fd, AC_SYS_READ);
}

static int open_poller(struct ac_process *process)
{
    process->poller = ac_sys_poller_open();
    bool good =
        process->poller >= 0 && watch(process, process->fd) && watch(process, process->errors);
    return good ? 0 : errno;
}

const char *ac_process_start(struct ac_process *process, char *const argv[],
                             char *const environment[], bool errors, bool leashed)
{
    int output = -1, said = AC_SPAWN_MINE;
    /* One byte more than the maximum tells an output of that size from a larger one. */
    int error = ac_pages_open(&process->output, process->max + 1) ? 0 : ENOMEM;
    error = error ? error : open_reader(&process->fd, &output);
    if (errors && !error)
        error = open_reader(&process->errors, &said);
    error = error ? error : open_poller(process);
    const int files[] = {AC_SPAWN_NOTHING, output, said};
    if (!error)
        error = ac_program_start_watched(&process->program, argv, environment, files, leashed);
    if (!error && !watch(process, process->program.ended))
        ac_file_close(&process->program.ended);
    ac_file_close(&output);
    ac_file_close(&said);
    if (error)
        ac_process_end(process);
    return error ? ac_program_fault(error) : NULL;
}

/* Appends to the overflow file. Bytes beyond OVERFLOW_MAX_BYTES are only counted. */
static void keep(struct ac_overflow *overflow, const char *bytes, size_t n)
{
    uint64_t left = OVERFLOW_MAX_BYTES - overflow->kept;
    size_t written = 0;
    if (overflow->error != 0)
        return;
    struct ac_str some = {bytes, n < left ? n : (size_t)left};
    overflow->error = ac_file_append(overflow->fd, some, &written);
    overflow->kept += written;
    if (overflow->error == 0 && n > left)
        overflow->error = EFBIG;
}

/* The output has reached its maximum: all of it goes into the file, or the program is killed. */
static void exceed(struct ac_process *process)
{
    struct ac_overflow *overflow = &process->overflow;
    if (overflow->path) {
        overflow->error = ac_file_open(&overflow->fd, overflow->path, AC_FILE_CREATE, 0600);
        keep(overflow, process->output.p, process->output.n);
        return;
    }
    ac_program_kill(&process->program);
    stop_reading(process, &process->fd);
}

static void read_output(struct ac_process *process)
{
    struct ac_pages *output = &process->output;
    for (int i = 0; i < READS_MAX && process->fd >= 0; i++) {
        bool was_over = process->bytes > process->max;
        size_t at = was_over ? 0 : output->n;
        ssize_t got = read(process->fd, output->p + at,
                           was_over ? output->mapped : process->max + 1 - output->n);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0 && errno == EAGAIN)
            return;
        if (got <= 0) {
            stop_reading(process, &process->fd);
            return;
        }
        process->bytes += (uint64_t)got;
        if (was_over)
            keep(&process->overflow, output->p, (size_t)got);
        else
            output->n += (size_t)got;
        if (!was_over && process->bytes > process->max)
            exceed(process);
    }
}

/* Checks whether the program has ended. What it wrote before is in the pipe by then. */
static void look_after(struct ac_process *process)
{
    if (process->gone_since > 0 || !ac_program_reap(&process->program))
        return;
    process->gone_since = ac_sys_monotonic();
    stop_reading(process, &process->program.ended);
    read_output(process);
}

/* Seconds for which output of children is still read; <= 0 if that time is over. */
static double grace(const struct ac_process *process)
{
    bool is_quiet = process->fd < 0 && process->errors < 0;
    return is_quiet ? 0 : process->gone_since + GRACE_SECONDS - ac_sys_monotonic();
}

bool ac_process_step(struct ac_process *process)
{
    read_output(process);
    look_after(process);
    return process->gone_since > 0 && grace(process) <= 0;
}

double ac_process_timeout(const struct ac_process *process)
{
    if (process->gone_since > 0) {
        double left = grace(process);
        return left > 0 ? left : 0;
    }
    if (process->program.ended >= 0)
        return -1;
    return process->fd < 0 ? LOOK_OFTEN_SECONDS : LOOK_SECONDS;
}

size_t ac_process_errors(struct ac_process *process, char *out, size_t n)
{
    ssize_t got = 0;
    do
        got = process->errors < 0 ? 0 : read(process->errors, out, n);
    while (got < 0 && errno == EINTR);
    if (got == 0 || (got < 0 && errno != EAGAIN))
        stop_reading(process, &process->errors);
    return got > 0 ? (size_t)got : 0;
}
