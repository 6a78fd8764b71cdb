#include "transfer.h"

#include "sys.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

/* Idle handles that are kept at most, so that a burst of requests does not use memory for ever.
 * Handles are reused from 8.1.1 on only. Before, if the first header line of a response begins with
 * a blank, libcurl appends it to the last line of the previous response, which is freed memory
 * (curl's issue 11101). */
#define IDLE_MAX 256
#define MAY_SERVE_AGAIN 0x080101

bool ac_handle_set_text(struct ac_handle *handle, CURLoption option, const char *text)
{
    return curl_easy_setopt(handle->easy, option, text) == CURLE_OK;
}

/* Parses an origin. libcurl copies a parsed URL without the zone of an IPv6 address
 * ("[fe80::1%25eth0]"), so such a URL is not parsed here. NULL: the text is used as it is, and the
 * request fails if it is not a URL. */
static CURLU *parse(const char *place)
{
    CURLU *origin = strchr(place, '%') ? NULL : curl_url();
    if (curl_url_set(origin, CURLUPART_URL, place, CURLU_PATH_AS_IS) == CURLUE_OK)
        return origin;
    curl_url_cleanup(origin);
    return NULL;
}

/* The parsed origin, from the cache of this transport; NULL if the cache is full or memory is out.
 * Entries live as long as the transport, because libcurl may read them at any time. */
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

/* Setting NULL cannot fail, except that some TLS libraries do not know the option. */
static bool set_store(struct ac_handle *handle, CURLoption option, const char *path)
{
    return ac_handle_set_text(handle, option, path) || !path;
}

/* An https:// proxy is checked against the same roots. */
static bool set_trust(struct ac_handle *handle, const struct ac_transport_options *options)
{
    return set_store(handle, CURLOPT_CAINFO, options->ca_file.p) &&
           set_store(handle, CURLOPT_CAPATH, options->ca_path.p) &&
           set_store(handle, CURLOPT_PROXY_CAINFO, options->ca_file.p) &&
           set_store(handle, CURLOPT_PROXY_CAPATH, options->ca_path.p);
}

/* Close on exec: a program that the host starts would otherwise keep the connection open. */
static int on_new_socket(void *user, curl_socket_t fd, curlsocktype purpose)
{
    (void)purpose;
    fcntl(fd, F_SETFD, FD_CLOEXEC);
    ac_guard_opened(user, fd);
    return CURL_SOCKOPT_OK;
}

/* Stops watching first: if a forked child holds the socket too, closing it here does not. */
static int on_close_socket(void *user, curl_socket_t fd)
{
    struct ac_handles *handles = user;
    ac_sys_poller_watch(handles->poller, fd, 0);
    ac_guard_closes(handles, fd);
    return close(fd);
}

/* Sets the options that are the same for every request. */
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
    /* A resolver thread may hang for a long time; libcurl must not wait for it when it closes. The
     * thread needs libcurl's code, which stays mapped because our module is pinned. */
    curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);
#endif
    /* The path must be sent as it was signed: libcurl may not shorten "/a/../b". */
    curl_easy_setopt(easy, CURLOPT_PATH_AS_IS, 1L);
    /* A signature is for one host and path; following a redirect would leak it. */
    curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
    /* HTTP/1.1: framing and limits are simple, it is known what was sent, nothing is replayed. */
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

/* The passphrase is empty because OpenSSL would otherwise ask for one on the terminal. */
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
    /* Frees libcurl's copies of the request now: they may contain a security token. */
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
