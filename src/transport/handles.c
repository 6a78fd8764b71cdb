#include "handles.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

/* More than that are not kept: a burst must not hold its memory for ever. */
#define IDLE_MAX 256

bool ac_handle_set_text(struct ac_handle *handle, CURLoption option, const char *text)
{
    return curl_easy_setopt(handle->easy, option, text) == CURLE_OK;
}

/* libcurl takes a text apart and puts it together again for each request; what is parsed already it
 * copies, but for the zone of an address ("[fe80::1%25eth0]"). What cannot be parsed stays a text,
 * for the request to fail with. */
static bool parse_origin(struct ac_handle *handle)
{
    if (memchr(handle->url.p, '%', handle->url.n))
        return true;
    CURLU *origin = curl_url();
    CURLUcode code = origin ? curl_url_set(origin, CURLUPART_URL, handle->url.p,
                                           CURLU_PATH_AS_IS | CURLU_NON_SUPPORT_SCHEME)
                            : CURLUE_OUT_OF_MEMORY;
    if (code != CURLUE_OK) {
        curl_url_cleanup(origin);
        return code != CURLUE_OUT_OF_MEMORY;
    }
    handle->origin = origin;
    return curl_easy_setopt(handle->easy, CURLOPT_CURLU, origin) == CURLE_OK;
}

static void forget_url(struct ac_handle *handle)
{
    curl_easy_setopt(handle->easy, CURLOPT_CURLU, NULL);
    curl_url_cleanup(handle->origin);
    handle->origin = NULL;
    ac_handle_set_text(handle, CURLOPT_URL, NULL);
    ac_buf_free(&handle->url);
}

bool ac_handle_set_url(struct ac_handle *handle, struct ac_str url, bool is_origin)
{
    if (ac_str_equal(url, ac_buf_str(&handle->url)))
        return true;
    forget_url(handle);
    ac_buf_add_str(&handle->url, url);
    return handle->url.status == AC_OK && ac_handle_set_text(handle, CURLOPT_URL, handle->url.p) &&
           (!is_origin || parse_origin(handle));
}

/* Forgetting a default cannot fail, but some TLS libraries do not know the option. */
static bool set_store(struct ac_handle *handle, CURLoption option, const char *path)
{
    return ac_handle_set_text(handle, option, path) || !path;
}

/* The roots are the same for an https:// proxy. */
static bool set_trust(struct ac_handle *handle, struct ac_transport_trust trust)
{
    return set_store(handle, CURLOPT_CAINFO, trust.ca_file) &&
           set_store(handle, CURLOPT_CAPATH, trust.ca_path) &&
           set_store(handle, CURLOPT_PROXY_CAINFO, trust.ca_file) &&
           set_store(handle, CURLOPT_PROXY_CAPATH, trust.ca_path);
}

/* Programs that the host starts would otherwise inherit the connection and keep it open. */
static int on_new_socket(void *user, curl_socket_t fd, curlsocktype purpose)
{
    (void)purpose;
    fcntl(fd, F_SETFD, FD_CLOEXEC);
    ac_watch_own(user, fd);
    return CURL_SOCKOPT_OK;
}

static int on_close_socket(void *user, curl_socket_t fd)
{
    ac_watch_disown(user, fd);
    return close(fd);
}

/* The standing policy, the same for every request. */
static void set_policy(struct ac_handle *handle)
{
    CURL *easy = handle->easy;
    curl_easy_setopt(easy, CURLOPT_PRIVATE, handle);
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, handle->error_text);
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
    if (proxy &&
        !ac_handle_set_text(handle, CURLOPT_PROXY, strcmp(proxy, "none") == 0 ? "" : proxy))
        return false;
    return !options->no_proxy.p || ac_handle_set_text(handle, CURLOPT_NOPROXY, options->no_proxy.p);
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

/* The transport's own choices. */
static bool set_options(struct ac_handle *handle, const struct ac_settings *settings)
{
    return set_proxy(handle, &settings->options) && set_client_cert(handle, &settings->options) &&
           set_trust(handle, settings->trust);
}

static void set_transport(struct ac_handle *handle, struct ac_handles *handles)
{
    if (!handles->shared) {
        handles->shared = curl_share_init();
        if (handles->shared)
            curl_share_setopt(handles->shared, CURLSHOPT_SHARE, CURL_LOCK_DATA_SSL_SESSION);
    }
    curl_easy_setopt(handle->easy, CURLOPT_SHARE, handles->shared);
    curl_easy_setopt(handle->easy, CURLOPT_SOCKOPTFUNCTION, on_new_socket);
    curl_easy_setopt(handle->easy, CURLOPT_SOCKOPTDATA, handles->watch);
    curl_easy_setopt(handle->easy, CURLOPT_CLOSESOCKETFUNCTION, on_close_socket);
    curl_easy_setopt(handle->easy, CURLOPT_CLOSESOCKETDATA, handles->watch);
}

static struct ac_handle *handle_new(struct ac_handles *handles, const struct ac_settings *settings)
{
    struct ac_handle *handle = calloc(1, sizeof *handle);
    if (!handle)
        return NULL;
    ac_buf_init(&handle->url, SIZE_MAX);
    handle->easy = curl_easy_init();
    if (handle->easy) {
        set_policy(handle);
        set_transport(handle, handles);
        if (set_options(handle, settings))
            return handle;
    }
    ac_handle_free(handle);
    return NULL;
}

struct ac_handle *ac_handles_take(struct ac_handles *handles, const struct ac_settings *settings)
{
    struct ac_handle *handle = handles->idle;
    if (!handle)
        return handle_new(handles, settings);
    handles->idle = handle->next;
    handles->count--;
    handle->error_text[0] = '\0';
    return handle;
}

void ac_handles_give(struct ac_handles *handles, struct ac_handle *handle)
{
    handle->op = NULL;
    if (handles->count >= IDLE_MAX) {
        ac_handle_free(handle);
        return;
    }
    /* What libcurl has copied of the request goes away now: a target may hold a security token. An
     * origin may stay, and what it points to is set anew before it is looked at again. */
    ac_handle_set_text(handle, CURLOPT_REQUEST_TARGET, NULL);
    struct ac_str url = ac_buf_str(&handle->url);
    if (memchr(url.p, '?', url.n))
        forget_url(handle);
    handle->next = handles->idle;
    handles->idle = handle;
    handles->count++;
}

void ac_handle_free(struct ac_handle *handle)
{
    if (!handle)
        return;
    curl_easy_cleanup(handle->easy);
    curl_url_cleanup(handle->origin);
    ac_buf_free(&handle->url);
    free(handle);
}

void ac_handles_free(struct ac_handles *handles)
{
    while (handles->idle) {
        struct ac_handle *handle = handles->idle;
        handles->idle = handle->next;
        ac_handle_free(handle);
    }
    handles->count = 0;
    curl_share_cleanup(handles->shared);
    handles->shared = NULL;
}
