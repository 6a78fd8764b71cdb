#include "transport.h"

#include "ops.h"
#include "sys.h"

#include <stdlib.h>
#include <unistd.h>

#ifndef CURL_IGNORE_DEPRECATION /* libcurl up to 7.87 marks nothing as deprecated */
#define CURL_IGNORE_DEPRECATION(statements) statements
#endif

/* Idle connections that are kept. libcurl's default depends on the number of running transfers:
 * when many end together, it would close connections that the next requests need. */
#define CONNECTIONS_MAX 256

struct ac_transport {
    struct ac_transport_options options;
    CURLM *multi;
    struct ac_handles handles;
    double timer_at; /* monotonic seconds, < 0: none */
    bool due;        /* step() has results to report, whatever libcurl's timer says */
    bool lost;       /* libcurl ran out of memory while it started a request */
    bool stalled;    /* libcurl gave up an address and has not tried the next one yet */
    int running;     /* transfers in progress, as libcurl last said */
    struct ac_ops ops;
    struct ac_transport_stats stats; /* without in_flight */
};

/* libcurl says which descriptors to watch; the poller combines them into one. */
static int on_socket(CURL *easy, curl_socket_t fd, int what, void *user, void *unused)
{
    struct ac_transport *transport = user;
    int events = 0;
    (void)unused;
    if (what == CURL_POLL_REMOVE)
        transport->stalled = transport->stalled || ac_transfer_may_stall(easy);
    if (what == CURL_POLL_IN || what == CURL_POLL_INOUT)
        events |= AC_SYS_READ;
    if (what == CURL_POLL_OUT || what == CURL_POLL_INOUT)
        events |= AC_SYS_WRITE;
    ac_sys_poller_watch(transport->handles.poller, fd, events);
    return 0;
}

static int on_timer(CURLM *multi, long timeout_ms, void *user)
{
    struct ac_transport *transport = user;
    (void)multi;
    transport->timer_at = timeout_ms < 0 ? -1 : ac_sys_monotonic() + (double)timeout_ms / 1000;
    return 0;
}

/* Closes a transfer that is over; its operation waits until it is asked for. */
static void retire(struct ac_transport *transport, struct ac_op *op, bool keep)
{
    ac_transfer_close(op, transport->multi, keep);
    ac_ops_end(&transport->ops, op);
}

static void abandon_all(struct ac_transport *transport)
{
    while (transport->ops.flying) {
        struct ac_op *op = transport->ops.flying;
        ac_transfer_abandon(op, "the call belongs to the parent process");
        ac_ops_end(&transport->ops, op);
    }
}

static unsigned end_all(struct ac_transport *transport, enum ac_failure failure, const char *detail)
{
    unsigned ended = 0;
    for (; transport->ops.flying; ended++) {
        struct ac_op *op = transport->ops.flying;
        ac_transfer_end(op, failure, detail);
        retire(transport, op, false);
    }
    return ended;
}

/* CURLMOPT_QUICK_EXIT: since 8.23 resolver threads belong to the multi handle. 8.14 and older do
 * not know this option; for them see CURLOPT_QUICK_EXIT in handles.c. */
#define QUICK_EXIT ((CURLMoption)21)

static bool open_multi(struct ac_transport *transport)
{
    transport->timer_at = -1;
    transport->multi = curl_multi_init();
    if (!transport->multi)
        return false;
    curl_multi_setopt(transport->multi, CURLMOPT_SOCKETFUNCTION, on_socket);
    curl_multi_setopt(transport->multi, CURLMOPT_SOCKETDATA, transport);
    curl_multi_setopt(transport->multi, CURLMOPT_TIMERFUNCTION, on_timer);
    curl_multi_setopt(transport->multi, CURLMOPT_TIMERDATA, transport);
    curl_multi_setopt(transport->multi, CURLMOPT_MAXCONNECTS, (long)CONNECTIONS_MAX);
    curl_multi_setopt(transport->multi, QUICK_EXIT, 1L);
    return true;
}

static bool open_poller(struct ac_transport *transport)
{
    transport->handles.pid = getpid();
    transport->handles.open = 0;
    transport->handles.poller = ac_sys_poller_open();
    return transport->handles.poller >= 0;
}

static bool is_own(const struct ac_transport *transport)
{
    return transport->handles.pid == getpid();
}

/* Called before each use. In a forked child the handles share sockets and TLS state with the
 * parent. Closing them would write to the parent's connections, so they are leaked and replaced. */
static bool own_process(struct ac_transport *transport)
{
    if (!is_own(transport)) {
        abandon_all(transport);
        transport->multi = NULL;
        ac_sys_poller_forget(transport->handles.poller);
        transport->handles.poller = -1;
    }
    return (transport->handles.poller >= 0 || open_poller(transport)) &&
           (transport->multi || open_multi(transport));
}

struct ac_transport *ac_transport_new(const struct ac_transport_options *options)
{
    struct ac_transport *transport = calloc(1, sizeof *transport);
    if (!transport)
        return NULL;
    transport->options = *options;
    if (!options->ca_file.p && !options->ca_path.p) {
        struct ac_transport_trust trust = ac_transport_trust();
        transport->options.ca_file = ac_str_of(trust.ca_file);
        transport->options.ca_path = ac_str_of(trust.ca_path);
    }
    transport->handles.options = &transport->options;
    transport->handles.version = curl_version_info(CURLVERSION_NOW)->version_num;
    if (open_poller(transport) && open_multi(transport))
        return transport;
    ac_transport_free(transport);
    return NULL;
}

void ac_transport_free(struct ac_transport *transport)
{
    if (!transport)
        return;
    if (!is_own(transport)) {
        abandon_all(transport);
        ac_sys_poller_forget(transport->handles.poller);
    } else {
        struct ac_sys_sigpipe guard;
        transport->handles.pid = 0;
        ac_sys_sigpipe_block(&guard);
        end_all(transport, AC_FAILURE_CANCELLED, "the transport was closed");
        curl_multi_cleanup(transport->multi);
        ac_handles_free(&transport->handles);
        ac_sys_sigpipe_restore(&guard);
        ac_sys_poller_close(transport->handles.poller);
    }
    ac_ops_close(&transport->ops);
    free(transport);
}

static bool drive(struct ac_transport *transport, curl_socket_t fd, int flags)
{
    return curl_multi_socket_action(transport->multi, fd, flags, &transport->running) == CURLM_OK;
}

/* Takes the first step at once, so that the request is on its way when the caller starts to wait.
 * If a transfer has ended by then, step() is due immediately and reports it. */
static void set_out(struct ac_transport *transport)
{
    struct ac_sys_sigpipe guard;
    ac_sys_sigpipe_block(&guard);
    transport->lost = !drive(transport, CURL_SOCKET_TIMEOUT, 0) || transport->lost;
    ac_sys_sigpipe_restore(&guard);
    transport->due = transport->lost || transport->running < (int)transport->ops.in_flight;
}

static bool start(struct ac_transport *transport, struct ac_op *op)
{
    if (!ac_transfer_open(op, &transport->handles) ||
        curl_multi_add_handle(transport->multi, op->handle->easy) != CURLM_OK)
        return false;
    op->transport = transport;
    ac_ops_begin(&transport->ops, op);
    transport->stats.requests++;
    set_out(transport);
    return true;
}

struct ac_op *ac_transport_submit(struct ac_transport *transport,
                                  const struct ac_transport_request *request)
{
    if (!own_process(transport))
        return NULL;
    struct ac_op *op = ac_transfer_new(&transport->options, request);
    if (!op || ac_guard_refuses(op, &transport->handles) || start(transport, op))
        return op;
    ac_op_release(op);
    return NULL;
}

static void count(struct ac_transport_stats *stats, const struct ac_exchange *exchange)
{
    stats->connections += (uint64_t)exchange->new_connections;
    stats->reused += exchange->sent && exchange->new_connections == 0;
    stats->bytes_sent += exchange->bytes_sent;
    stats->bytes_received += exchange->bytes_received;
}

/* Starts a transfer again if nothing was sent because of stray data on the connection. This is done
 * once: if a fresh connection has stray data as well, the server does not speak HTTP. */
static bool set_out_again(struct ac_transport *transport, struct ac_op *op, CURLcode code)
{
    if (code != CURLE_ABORTED_BY_CALLBACK || !op->stray || op->exchange.sent || op->repeated)
        return false;
    curl_multi_remove_handle(transport->multi, op->handle->easy);
    ac_transfer_repeat(op);
    return curl_multi_add_handle(transport->multi, op->handle->easy) == CURLM_OK;
}

static unsigned collect(struct ac_transport *transport)
{
    unsigned finished = 0;
    int left = 0;
    CURLMsg *message = NULL;
    while ((message = curl_multi_info_read(transport->multi, &left))) {
        struct ac_handle *handle = NULL;
        CURLcode code = message->data.result;
        if (message->msg != CURLMSG_DONE)
            continue;
        curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, (char **)&handle);
        struct ac_op *op = handle->op;
        if (set_out_again(transport, op, code))
            continue;
        ac_transfer_finish(op, code);
        count(&transport->stats, &op->exchange);
        /* Not reused after an error: libcurl's verdict on a certificate stays in the handle. */
        retire(transport, op, code == CURLE_OK);
        finished++;
    }
    return finished;
}

/* When out of memory, libcurl may lose a socket or a timer; 7.88 divides by zero when it meets that
 * socket again. So all transfers end and the multi handle is replaced; the descriptor stays. */
static unsigned start_over(struct ac_transport *transport)
{
    unsigned ended = end_all(transport, AC_FAILURE_OTHER, "libcurl ran out of memory");
    transport->lost = false;
    curl_multi_cleanup(transport->multi);
    open_multi(transport);
    return ended;
}

static bool wake(struct ac_transport *transport)
{
    CURLMcode code = CURLM_OK;
    transport->stalled = false;
    /* Deprecated because it is slow; but no other function wakes a transfer that has stalled. */
    CURL_IGNORE_DEPRECATION(code = curl_multi_socket_all(transport->multi, &transport->running);)
    return code == CURLM_OK;
}

/* Descriptors that one step handles; the next step handles the rest. */
#define READY_MAX 16

static bool act(struct ac_transport *transport)
{
    int fds[READY_MAX], events[READY_MAX];
    int n = ac_sys_poller_ready(transport->handles.poller, fds, events, READY_MAX, 0);
    for (int i = 0; i < n; i++) {
        int flags = 0;
        if (events[i] & AC_SYS_READ)
            flags |= CURL_CSELECT_IN;
        if (events[i] & AC_SYS_WRITE)
            flags |= CURL_CSELECT_OUT;
        if (!drive(transport, fds[i], flags))
            return false;
    }
    if (transport->timer_at >= 0 && ac_sys_monotonic() >= transport->timer_at) {
        transport->timer_at = -1;
        if (!drive(transport, CURL_SOCKET_TIMEOUT, 0))
            return false;
    }
    return !transport->stalled || wake(transport);
}

unsigned ac_transport_step(struct ac_transport *transport)
{
    struct ac_sys_sigpipe guard;
    if (!own_process(transport))
        return 0;
    ac_sys_sigpipe_block(&guard);
    unsigned finished = transport->due ? collect(transport) : 0;
    transport->due = false;
    /* If the only transfer ended while it was submitted, there is nothing left to drive. */
    bool all = finished > 0 && transport->ops.in_flight == 0;
    bool ok = !transport->lost && (all || act(transport));
    finished += collect(transport);
    if (!ok)
        finished += start_over(transport);
    ac_sys_sigpipe_restore(&guard);
    return finished;
}

/* Does not check for a fork: a caller that waits has submitted before, and submit() checks. */
int ac_transport_fd(const struct ac_transport *transport)
{
    return transport->handles.poller;
}

long ac_transport_timeout_ms(const struct ac_transport *transport)
{
    if (transport->due || transport->timer_at < 0)
        return transport->due ? 0 : -1;
    double left = transport->timer_at - ac_sys_monotonic();
    return left <= 0 ? 0 : (long)(left * 1000) + 1;
}

void ac_transport_wait(struct ac_transport *transport, int timeout_ms)
{
    long due_ms = ac_transport_timeout_ms(transport);
    if (due_ms >= 0 && due_ms < timeout_ms)
        timeout_ms = (int)due_ms;
    if (timeout_ms > 0)
        ac_sys_wait_for(transport->handles.poller, AC_SYS_READ, timeout_ms);
}

struct ac_transport_stats ac_transport_stats(const struct ac_transport *transport)
{
    struct ac_transport_stats stats = transport->stats;
    stats.in_flight = transport->ops.in_flight;
    return stats;
}

uint64_t ac_transport_ended(struct ac_transport *transport)
{
    struct ac_op *op = transport->ops.ended;
    if (!op)
        return 0;
    ac_ops_tell(&transport->ops, op);
    return op->ticket;
}

uint64_t ac_op_ticket(const struct ac_op *op)
{
    return op->ticket;
}

const struct ac_exchange *ac_op_exchange(const struct ac_op *op)
{
    return &op->exchange;
}

void ac_op_cancel(struct ac_op *op)
{
    struct ac_transport *transport = op->transport;
    if (op->exchange.done)
        return;
    if (transport && !is_own(transport)) {
        ac_transfer_abandon(op, "the call belongs to the parent process");
    } else {
        struct ac_sys_sigpipe guard;
        ac_sys_sigpipe_block(&guard);
        ac_transfer_end(op, AC_FAILURE_CANCELLED, "the call was cancelled");
        ac_transfer_close(op, transport ? transport->multi : NULL, false);
        ac_sys_sigpipe_restore(&guard);
    }
    if (transport)
        ac_ops_tell(&transport->ops, op);
}

void ac_op_release(struct ac_op *op)
{
    if (!op)
        return;
    ac_op_cancel(op);
    ac_ops_free(op);
}
