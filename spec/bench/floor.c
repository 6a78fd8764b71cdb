/* The floor of the benchmark: what a careful hand-written loop costs that does nothing but the job.
 * One libcurl easy handle kept alive, ACS3-HMAC-SHA256 over cached OpenSSL contexts, the answer
 * parsed by cJSON. Prints CPU microseconds per call: floor URL CALLS KEY_ID SECRET
 */
#define _GNU_SOURCE
#include <cjson/cJSON.h>
#include <curl/curl.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#define EMPTY_HASH "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
#define QUERY "RegionId=cn-shanghai"

struct floor {
    const char *host;
    const char *key_id;
    const char *secret;
    CURL *curl;
    EVP_MD *sha256;
    EVP_MD_CTX *hash;
    EVP_MAC_CTX *mac;
    char answer[65536];
    size_t answer_bytes;
};

static size_t take(char *bytes, size_t size, size_t n, void *context)
{
    struct floor *f = context;
    if (f->answer_bytes + size * n >= sizeof f->answer)
        return 0;
    memcpy(f->answer + f->answer_bytes, bytes, size * n);
    f->answer_bytes += size * n;
    return size * n;
}

static void hex(char *out, const unsigned char *raw, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        out[2 * i] = "0123456789abcdef"[raw[i] >> 4];
        out[2 * i + 1] = "0123456789abcdef"[raw[i] & 15];
    }
    out[2 * n] = '\0';
}

static void sign(struct floor *f, const char *date, const char *nonce, char *authorization,
                 size_t room)
{
    char canonical[2048], to_sign[128], text[65];
    unsigned char raw[EVP_MAX_MD_SIZE];
    size_t raw_bytes;
    int n = snprintf(canonical, sizeof canonical,
                     "POST\n/\n" QUERY "\nhost:%s\nx-acs-action:DescribeRegions\n"
                     "x-acs-content-sha256:" EMPTY_HASH "\nx-acs-date:%s\n"
                     "x-acs-signature-nonce:%s\nx-acs-version:2021-07-30\n\n"
                     "host;x-acs-action;x-acs-content-sha256;x-acs-date;"
                     "x-acs-signature-nonce;x-acs-version\n" EMPTY_HASH,
                     f->host, date, nonce);
    EVP_DigestInit_ex2(f->hash, f->sha256, NULL);
    EVP_DigestUpdate(f->hash, canonical, (size_t)n);
    EVP_DigestFinal_ex(f->hash, raw, NULL);
    hex(text, raw, 32);
    n = snprintf(to_sign, sizeof to_sign, "ACS3-HMAC-SHA256\n%s", text);
    EVP_MAC_init(f->mac, (const unsigned char *)f->secret, strlen(f->secret), NULL);
    EVP_MAC_update(f->mac, (const unsigned char *)to_sign, (size_t)n);
    EVP_MAC_final(f->mac, raw, &raw_bytes, sizeof raw);
    hex(text, raw, 32);
    snprintf(authorization, room,
             "Authorization: ACS3-HMAC-SHA256 Credential=%s,SignedHeaders=host;x-acs-action;"
             "x-acs-content-sha256;x-acs-date;x-acs-signature-nonce;x-acs-version,Signature=%s",
             f->key_id, text);
}

static int call(struct floor *f)
{
    char date[32], nonce[33], lines[5][512];
    unsigned char raw[16];
    time_t now = time(NULL);
    struct tm utc;
    gmtime_r(&now, &utc);
    strftime(date, sizeof date, "%Y-%m-%dT%H:%M:%SZ", &utc);
    RAND_bytes(raw, sizeof raw);
    hex(nonce, raw, sizeof raw);
    sign(f, date, nonce, lines[0], sizeof lines[0]);
    snprintf(lines[1], sizeof lines[1], "x-acs-date: %s", date);
    snprintf(lines[2], sizeof lines[2], "x-acs-signature-nonce: %s", nonce);
    snprintf(lines[3], sizeof lines[3], "Host: %s", f->host);

    struct curl_slist *headers = NULL;
    for (int i = 0; i < 4; i++)
        headers = curl_slist_append(headers, lines[i]);
    headers = curl_slist_append(headers, "x-acs-action: DescribeRegions");
    headers = curl_slist_append(headers, "x-acs-version: 2021-07-30");
    headers = curl_slist_append(headers, "x-acs-content-sha256: " EMPTY_HASH);
    headers = curl_slist_append(headers, "Content-Type:");
    headers = curl_slist_append(headers, "Accept: application/json");
    curl_easy_setopt(f->curl, CURLOPT_HTTPHEADER, headers);
    f->answer_bytes = 0;
    CURLcode code = curl_easy_perform(f->curl);
    curl_slist_free_all(headers);
    if (code != CURLE_OK) {
        fprintf(stderr, "floor: %s\n", curl_easy_strerror(code));
        return 0;
    }
    cJSON *answer = cJSON_ParseWithLength(f->answer, f->answer_bytes);
    int ok = cJSON_IsString(cJSON_GetObjectItemCaseSensitive(answer, "RequestId"));
    if (!ok || cJSON_GetObjectItemCaseSensitive(answer, "Code")) {
        fprintf(stderr, "floor: %.*s\n", (int)f->answer_bytes, f->answer);
        ok = 0;
    }
    cJSON_Delete(answer);
    return ok;
}

static double cpu_seconds(void)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
           (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

int main(int argc, char **argv)
{
    static struct floor f;
    char url[512];
    if (argc != 5 || strncmp(argv[1], "http://", 7) != 0) {
        fprintf(stderr, "usage: floor http://HOST:PORT CALLS KEY_ID SECRET\n");
        return 2;
    }
    long calls = strtol(argv[2], NULL, 10);
    f.host = argv[1] + 7;
    f.key_id = argv[3];
    f.secret = argv[4];
    f.sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
    f.hash = EVP_MD_CTX_new();
    EVP_MAC *hmac = EVP_MAC_fetch(NULL, "HMAC", NULL);
    f.mac = EVP_MAC_CTX_new(hmac);
    OSSL_PARAM parameters[] = {OSSL_PARAM_construct_utf8_string("digest", (char[]){"SHA256"}, 0),
                               OSSL_PARAM_construct_end()};
    EVP_MAC_CTX_set_params(f.mac, parameters);
    curl_global_init(CURL_GLOBAL_DEFAULT);
    f.curl = curl_easy_init();
    snprintf(url, sizeof url, "%s/?" QUERY, argv[1]);
    curl_easy_setopt(f.curl, CURLOPT_URL, url);
    curl_easy_setopt(f.curl, CURLOPT_POST, 1L);
    curl_easy_setopt(f.curl, CURLOPT_POSTFIELDS, "");
    curl_easy_setopt(f.curl, CURLOPT_POSTFIELDSIZE, 0L);
    curl_easy_setopt(f.curl, CURLOPT_WRITEFUNCTION, take);
    curl_easy_setopt(f.curl, CURLOPT_WRITEDATA, &f);
    curl_easy_setopt(f.curl, CURLOPT_TIMEOUT_MS, 10000L);
    curl_easy_setopt(f.curl, CURLOPT_PROXY, "");

    for (int i = 0; i < 50; i++)
        if (!call(&f))
            return 1;
    double start = cpu_seconds();
    for (long i = 0; i < calls; i++)
        if (!call(&f))
            return 1;
    printf("%.2f\n", (cpu_seconds() - start) / (double)calls * 1e6);
    return 0;
}
