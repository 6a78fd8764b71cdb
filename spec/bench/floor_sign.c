/* Signing and one request, shared by all modes of the floor. */
#include "floor.h"

#include <cjson/cJSON.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#define EMPTY_HASH "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
#define AGENT "User-Agent: AlibabaCloud (Lua) Lua/5.4 Core/0.1.0"

static struct {
    EVP_MD *sha256;
    EVP_MD_CTX *hash;
    EVP_MAC_CTX *mac;
} crypto;

void floor_init(void)
{
    crypto.sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
    crypto.hash = EVP_MD_CTX_new();
    crypto.mac = EVP_MAC_CTX_new(EVP_MAC_fetch(NULL, "HMAC", NULL));
    OSSL_PARAM parameters[] = {OSSL_PARAM_construct_utf8_string("digest", (char[]){"SHA256"}, 0),
                               OSSL_PARAM_construct_end()};
    EVP_MAC_CTX_set_params(crypto.mac, parameters);
    curl_global_init(CURL_GLOBAL_DEFAULT);
}

static void hex(char *out, const unsigned char *raw, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        out[2 * i] = "0123456789abcdef"[raw[i] >> 4];
        out[2 * i + 1] = "0123456789abcdef"[raw[i] & 15];
    }
    out[2 * n] = '\0';
}

void floor_hash(char text[65], const char *bytes, size_t n)
{
    unsigned char raw[EVP_MAX_MD_SIZE];
    EVP_DigestInit_ex2(crypto.hash, crypto.sha256, NULL);
    EVP_DigestUpdate(crypto.hash, bytes, n);
    EVP_DigestFinal_ex(crypto.hash, raw, NULL);
    hex(text, raw, 32);
}

void floor_authorize(char *authorization, size_t room, const char *canonical, size_t n,
                     const char *signed_headers)
{
    char to_sign[128], text[65];
    unsigned char raw[EVP_MAX_MD_SIZE];
    size_t raw_bytes;
    floor_hash(text, canonical, n);
    int m = snprintf(to_sign, sizeof to_sign, "ACS3-HMAC-SHA256\n%s", text);
    EVP_MAC_init(crypto.mac, (const unsigned char *)FLOOR_SECRET, strlen(FLOOR_SECRET), NULL);
    EVP_MAC_update(crypto.mac, (const unsigned char *)to_sign, (size_t)m);
    EVP_MAC_final(crypto.mac, raw, &raw_bytes, sizeof raw);
    hex(text, raw, 32);
    snprintf(authorization, room,
             "Authorization: ACS3-HMAC-SHA256 Credential=" FLOOR_KEY_ID
             ",SignedHeaders=%s,Signature=%s",
             signed_headers, text);
}

static void sign(char *authorization, size_t room, const char *host, const char *action,
                 const char *query, const char *date, const char *nonce)
{
    static const char signed_headers[] = "host;x-acs-action;x-acs-content-sha256;x-acs-date;"
                                         "x-acs-signature-nonce;x-acs-version";
    char canonical[2048];
    int n = snprintf(canonical, sizeof canonical,
                     "POST\n/\n%s\nhost:%s\nx-acs-action:%s\n"
                     "x-acs-content-sha256:" EMPTY_HASH "\nx-acs-date:%s\n"
                     "x-acs-signature-nonce:%s\nx-acs-version:2021-07-30\n\n%s\n" EMPTY_HASH,
                     query, host, action, date, nonce, signed_headers);
    floor_authorize(authorization, room, canonical, (size_t)n, signed_headers);
}

static size_t take(char *bytes, size_t size, size_t n, void *context)
{
    struct floor_call *call = context;
    if (call->answer_bytes + size * n > FLOOR_ANSWER_MAX)
        return 0;
    memcpy(call->answer + call->answer_bytes, bytes, size * n);
    call->answer_bytes += size * n;
    return size * n;
}

bool floor_open(struct floor_call *call)
{
    const char *file = getenv("FLOOR_CA_FILE"), *path = getenv("FLOOR_CA_PATH");
    *call = (struct floor_call){.easy = curl_easy_init(), .answer = malloc(FLOOR_ANSWER_MAX)};
    if (!call->easy || !call->answer)
        return false;
    curl_easy_setopt(call->easy, CURLOPT_PRIVATE, call);
    curl_easy_setopt(call->easy, CURLOPT_POST, 1L);
    curl_easy_setopt(call->easy, CURLOPT_POSTFIELDS, "");
    curl_easy_setopt(call->easy, CURLOPT_POSTFIELDSIZE, 0L);
    curl_easy_setopt(call->easy, CURLOPT_WRITEFUNCTION, take);
    curl_easy_setopt(call->easy, CURLOPT_WRITEDATA, call);
    curl_easy_setopt(call->easy, CURLOPT_TIMEOUT_MS, 60000L);
    curl_easy_setopt(call->easy, CURLOPT_PROXY, "");
    curl_easy_setopt(call->easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    if (file || path) {
        curl_easy_setopt(call->easy, CURLOPT_CAINFO, file);
        curl_easy_setopt(call->easy, CURLOPT_CAPATH, path);
    }
    return true;
}

void floor_prepare(struct floor_call *call, const char *base, const char *action, const char *query)
{
    char date[32], nonce[33], url[512], lines[5][512];
    const char *host = strstr(base, "//") + 2;
    unsigned char raw[16];
    time_t now = time(NULL);
    struct tm utc;
    gmtime_r(&now, &utc);
    strftime(date, sizeof date, "%Y-%m-%dT%H:%M:%SZ", &utc);
    RAND_bytes(raw, sizeof raw);
    hex(nonce, raw, sizeof raw);
    sign(lines[0], sizeof lines[0], host, action, query, date, nonce);
    snprintf(lines[1], sizeof lines[1], "x-acs-date: %s", date);
    snprintf(lines[2], sizeof lines[2], "x-acs-signature-nonce: %s", nonce);
    snprintf(lines[3], sizeof lines[3], "Host: %s", host);
    snprintf(lines[4], sizeof lines[4], "x-acs-action: %s", action);
    for (int i = 0; i < 5; i++)
        call->headers = curl_slist_append(call->headers, lines[i]);
    call->headers = curl_slist_append(call->headers, "x-acs-version: 2021-07-30");
    call->headers = curl_slist_append(call->headers, "x-acs-content-sha256: " EMPTY_HASH);
    call->headers = curl_slist_append(call->headers, "Content-Type:");
    call->headers = curl_slist_append(call->headers, "Accept: application/json");
    call->headers = curl_slist_append(call->headers, AGENT);
    curl_easy_setopt(call->easy, CURLOPT_HTTPHEADER, call->headers);
    snprintf(url, sizeof url, "%s/?%s", base, query);
    curl_easy_setopt(call->easy, CURLOPT_URL, url);
    call->answer_bytes = 0;
}

bool floor_finish(struct floor_call *call, CURLcode code)
{
    curl_slist_free_all(call->headers);
    call->headers = NULL;
    if (code != CURLE_OK) {
        fprintf(stderr, "floor: %s\n", curl_easy_strerror(code));
        return false;
    }
    cJSON *answer = cJSON_ParseWithLength(call->answer, call->answer_bytes);
    bool ok = cJSON_IsString(cJSON_GetObjectItemCaseSensitive(answer, "RequestId")) &&
              !cJSON_GetObjectItemCaseSensitive(answer, "Code");
    if (!ok)
        fprintf(stderr, "floor: %.*s\n", (int)call->answer_bytes, call->answer);
    cJSON_Delete(answer);
    return ok;
}

void floor_close(struct floor_call *call)
{
    curl_easy_cleanup(call->easy);
    free(call->answer);
}

double floor_cpu_seconds(void)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
           (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}
