#include "transfer.h"

#include "sys.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

/* More than that are not kept: a burst must not hold its memory for ever. Before 8.1.1 a handle may
 * not be used again at all: where an answer's first header line begins with a blank, libcurl
 * appends that to the last line of the answer before, whose memory it has freed (curl's issue
 * 11101). */
#define IDLE_MAX 256
#define MAY_SERVE_AGAIN 0x080101

bool ac_handle_set_text(struct ac_handle *handle, CURLoption option, const char *text)
{
    return curl_easy_setopt(handle->easy, option, text) == CURLE_OK;
}

/* libcurl copies what is parsed already, but for the zone of an address ("[fe80::1%25eth0]"). What
 * cannot be parsed stays a text, for the request to fail with. */
static CURLU *parse(const char *place)
{
    CURLU *origin = strchr(place, '%') ? NULL : curl_url();
    if (curl_url_set(origin, CURLUPART_URL, place, CURLU_PATH_AS_IS) == CURLUE_OK)
        return origin;
    curl_url_cleanup(origin);
    return NULL;
}

/* An origin as libcurl parses it, from among those that the transport has spoken to; NULL where
 * there is no more room, or no memory. None goes before the transport does, since libcurl reads
 * them when it likes. */
static CURLU *origin_of(struct ac_handles *handles, struct ac_str place)
{
    size_t i = 0;
    while (i < handles->origin_count && !ac_str_equal(handles->origins[i].place, place))
        i++;
    if (i < handles->origin_count || i == AC_ORIGINS)
        return i < AC_ORIGINS ? handles->origins[i].parsed : NULL;
    char *copy = malloc(place.n + 1);
    if (!copy)
        return NULL;
    memcpy(copy, place.p, place.n);
    copy[place.n] = '\0';
    handles->origins[i] = (struct ac_origin){{copy, place.n}, parse(copy)};
    handles->origin_count++;
    return handles->origins[i].parsed;
}

bool ac_handle_set_url(struct ac_handle *handle, struct ac_str url, const char *target)
{
    CURLU *origin = NULL;
    if (target)
        origin = origin_of(handle->handles, (struct ac_str){url.p, (size_t)(target - url.p)});
    curl_easy_setopt(handle->easy, CURLOPT_CURLU, origin);
    return ac_handle_set_text(handle, CURLOPT_REQUEST_TARGET, target) &&
           (origin || ac_handle_set_text(handle, CURLOPT_URL, url.p));
}

/* Forgetting a default cannot fail, but some TLS libraries do not know the option. */
static bool set_store(struct ac_handle *handle, CURLoption option, const char *path)
{
    return ac_handle_set_text(handle, option, path) || !path;
}

/* The roots are the same for an https:// proxy. */
static bool set_trust(struct ac_handle *handle, const struct ac_transport_options *options)
{
    return set_store(handle, CURLOPT_CAINFO, options->ca_file.p) &&
           set_store(handle, CURLOPT_CAPATH, options->ca_path.p) &&
           set_store(handle, CURLOPT_PROXY_CAINFO, options->ca_file.p) &&
           set_store(handle, CURLOPT_PROXY_CAPATH, options->ca_path.p);
}

/* Programs that the host starts would otherwise inherit the connection and keep it open. */
static int on_new_socket(void *user, curl_socket_t fd, curlsocktype purpose)
{
    (void)purpose;
    fcntl(fd, F_SETFD, FD_CLOEXEC);
    ac_guard_opened(user, fd);
    return CURL_SOCKOPT_OK;
}

/* A forked child may hold the connection too, and then closing it would not end the watch. */
static int on_close_socket(void *user, curl_socket_t fd)
{
    struct ac_handles *handles = user;
    ac_sys_poller_watch(handles->poller, fd, 0);
    ac_guard_closes(handles, fd);
    return close(fd);
}

/* The standing policy, the same for every request. */
static void set_policy(struct ac_handle *handle)
{
    CURL *easy = handle->easy;
    curl_easy_setopt(easy, CURLOPT_PRIVATE, handle);
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, handle->error_text);
    curl_easy_setopt(easy, CURLOPT_PREREQFUNCTION, ac_guard_on_request);
    curl_easy_setopt(easy, CURLOPT_PREREQDATA, handle);
    curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, ac_transfer_on_header);
    curl_easy_setopt(easy, CURLOPT_HEADERDATA, handle);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, ac_transfer_on_body);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, handle);
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
#if LIBCURL_VERSION_NUM >= 0x075700
    /* A resolver thread may hang for as long as the system likes; nobody waits for it. It needs
     * libcurl to stay mapped, which pinning our own module sees to. */
    curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);
#endif
    /* What was signed is what is sent: "/a/../b" is nobody's to tidy up. */
    curl_easy_setopt(easy, CURLOPT_PATH_AS_IS, 1L);
    /* A signature is for one host and path; following a redirect would leak it. */
    curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
    /* 1.1 keeps framing, caps and "has it left" simple, and no stream is replayed. */
    curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    curl_easy_setopt(easy, CURLOPT_HTTP09_ALLOWED, 0L);
    curl_easy_setopt(easy, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
    curl_easy_setopt(easy, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
    curl_easy_setopt(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    curl_easy_setopt(easy, CURLOPT_PROXY_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 1L);
    curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 2L);
}

static bool set_proxy(struct ac_handle *handle, const struct ac_transport_options *options)
{
    const char *proxy = options->proxy.p;
    return !proxy ||
           ac_handle_set_text(handle, CURLOPT_PROXY, strcmp(proxy, "none") == 0 ? "" : proxy);
}

/* An empty passphrase, or OpenSSL would ask the terminal for that of an encrypted key. */
static bool set_client_cert(struct ac_handle *handle, const struct ac_transport_options *options)
{
    if (!options->client_cert.p)
        return true;
    return ac_handle_set_text(handle, CURLOPT_SSLCERT, options->client_cert.p) &&
           (!options->client_key.p ||
            ac_handle_set_text(handle, CURLOPT_SSLKEY, options->client_key.p)) &&
           ac_handle_set_text(handle, CURLOPT_KEYPASSWD, "");
}

static void set_shared(struct ac_handle *handle, struct ac_handles *handles)
{
    if (!handles->shared) {
        handles->shared = curl_share_init();
        if (handles->shared)
            curl_share_setopt(handles->shared, CURLSHOPT_SHARE, CURL_LOCK_DATA_SSL_SESSION);
    }
    curl_easy_setopt(handle->easy, CURLOPT_SHARE, handles->shared);
    curl_easy_setopt(handle->easy, CURLOPT_SOCKOPTFUNCTION, on_new_socket);
    curl_easy_setopt(handle->easy, CURLOPT_SOCKOPTDATA, handle);
    curl_easy_setopt(handle->easy, CURLOPT_CLOSESOCKETFUNCTION, on_close_socket);
    curl_easy_setopt(handle->easy, CURLOPT_CLOSESOCKETDATA, handles);
}

static struct ac_handle *handle_new(struct ac_handles *handles)
{
    struct ac_handle *handle = calloc(1, sizeof *handle);
    if (!handle)
        return NULL;
    handle->handles = handles;
    handle->easy = curl_easy_init();
    if (handle->easy) {
        set_policy(handle);
        set_shared(handle, handles);
        if (ac_handle_set_text(handle, CURLOPT_PROTOCOLS_STR, "http,https") &&
            set_proxy(handle, handles->options) && set_client_cert(handle, handles->options) &&
            set_trust(handle, handles->options))
            return handle;
    }
    ac_handle_free(handle);
    return NULL;
}

struct ac_handle *ac_handles_take(struct ac_handles *handles)
{
    struct ac_handle *handle = handles->idle;
    if (!handle)
        return handle_new(handles);
    handles->idle = handle->next;
    handles->count--;
    handle->error_text[0] = '\0';
    return handle;
}

void ac_handles_give(struct ac_handle *handle)
{
    struct ac_handles *handles = handle->handles;
    handle->op = NULL;
    if (handles->count >= IDLE_MAX || handles->version < MAY_SERVE_AGAIN) {
        ac_handle_free(handle);
        return;
    }
    /* What libcurl has copied of the request goes away now: it may hold a security token. */
    ac_handle_set_text(handle, CURLOPT_URL, NULL);
    ac_handle_set_text(handle, CURLOPT_REQUEST_TARGET, NULL);
    handle->next = handles->idle;
    handles->idle = handle;
    handles->count++;
}

void ac_handle_free(struct ac_handle *handle)
{
    if (!handle)
        return;
    curl_easy_cleanup(handle->easy);
    free(handle);
}

void ac_handles_free(struct ac_handles *handles)
{
    while (handles->idle) {
        struct ac_handle *handle = handles->idle;
        handles->idle = handle->next;
        ac_handle_free(handle);
    }
    while (handles->origin_count > 0) {
        struct ac_origin *origin = &handles->origins[--handles->origin_count];
        curl_url_cleanup(origin->parsed);
        free((char *)origin->place.p);
    }
    handles->count = 0;
    curl_share_cleanup(handles->shared);
    handles->shared = NULL;
    free(handles->sockets);
    handles->sockets = NULL;
    handles->open = handles->room = 0;
}
