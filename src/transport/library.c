/* What all transports share: libcurl itself, the default trust store, checks of a request. */
#include "transport.h"

#include "trust.h"

#include <curl/curl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#if LIBCURL_VERSION_NUM < 0x075500
#error "alicloud-dr needs libcurl 7.85 or newer (Debian: libcurl4-openssl-dev)"
#endif

#if defined(__APPLE__)
#include <crt_externs.h>
#define environ (*_NSGetEnviron()) /* a bundle cannot link to the variable */
#else
extern char **environ;
#endif

#define KEY_LOG "SSLKEYLOGFILE"

/* libcurl reads this variable when it is initialised, and then writes the keys of every TLS
 * connection to that file. Setting a variable must not be enough to get the keys, so another entry
 * replaces it during the call. Nothing is moved or freed, because other threads may be reading.
 */
static CURLcode init_without_key_log(void)
{
    char **entry = environ;
    while (entry && *entry && strncmp(*entry, KEY_LOG "=", sizeof KEY_LOG) != 0)
        entry++;
    if (!entry || !*entry)
        return curl_global_init(CURL_GLOBAL_DEFAULT);
    char *hidden = *entry;
    *entry = (char *)"_" KEY_LOG "=";
    CURLcode code = curl_global_init(CURL_GLOBAL_DEFAULT);
    *entry = hidden;
    return code;
}

bool ac_transport_log_keys(const char *path)
{
    curl_global_cleanup();
    bool ok = setenv(KEY_LOG, path, 1) == 0 && curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK;
    unsetenv(KEY_LOG);
    return ok;
}

static struct {
    pthread_once_t once;
    const char *lack;
} library = {.once = PTHREAD_ONCE_INIT};

static void init_library(void)
{
    if (init_without_key_log() != CURLE_OK) {
        library.lack = "libcurl could not be initialised";
        return;
    }
    const curl_version_info_data *info = curl_version_info(CURLVERSION_NOW);
    if (info->version_num < 0x075500)
        library.lack = "libcurl is older than 7.85";
    else if (!(info->features & CURL_VERSION_SSL))
        library.lack = "libcurl was built without TLS";
    else if (!(info->features & CURL_VERSION_ASYNCHDNS))
        library.lack = "libcurl resolves names synchronously and could not keep deadlines";
}

const char *ac_transport_init(void)
{
    pthread_once(&library.once, init_library);
    return library.lack;
}

/* curl_version() is not used: it initialises every library below, and one asks the resolver. */
void ac_transport_library(char out[96])
{
    const curl_version_info_data *info = curl_version_info(CURLVERSION_NOW);
    snprintf(out, 96, "libcurl/%s %s", info->version, info->ssl_version);
}

struct ac_transport_trust ac_transport_trust(void)
{
    const curl_version_info_data *info = curl_version_info(CURLVERSION_NOW);
    return ac_trust_find(info->cainfo, info->capath);
}

const char *ac_transport_flaw(const struct ac_transport_request *request)
{
    static const char *const methods[] = {"GET", "POST", "PUT", "PATCH", "DELETE"};
    bool known = false;
    for (size_t i = 0; i < sizeof methods / sizeof methods[0]; i++)
        known = known || ac_str_equal(request->method, ac_str_of(methods[i]));
    if (!known)
        return "the method is none of GET, POST, PUT, PATCH, DELETE";
    if (ac_str_equal(request->method, AC_STR("GET")) && request->body.n > 0)
        return "a GET request has no body";
    if (memchr(request->url.p, '#', request->url.n))
        return "a fragment of a URL is not sent";
    struct ac_str authority = ac_url_authority(request->url);
    if (authority.n == 0 || !ac_str_only(authority, "-._:[]%"))
        return "the URL names no host, or more than a host and a port";
    if (ac_str_starts(request->url, AC_STR("https://")))
        return NULL;
    if (!ac_str_starts(request->url, AC_STR("http://")))
        return "the URL begins with neither https:// nor http://";
    if (!request->plain_http && !ac_url_is_loopback(request->url))
        return "http:// is for loopback addresses only, unless plain HTTP is asked for";
    return NULL;
}
