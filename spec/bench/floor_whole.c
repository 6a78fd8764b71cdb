/* Whole ACS3 in C: parameters are sorted and encoded, headers sorted, an empty body hashed. */
#include "floor.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct pair {
    const char *name, *value;
};

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct pair *)a)->name, ((const struct pair *)b)->name);
}

static char *put(char *to, const char *text)
{
    size_t n = strlen(text);
    memcpy(to, text, n);
    return to + n;
}

static char *put_encoded(char *to, const char *text)
{
    static const char plain[] = "-_.~";
    for (; *text; text++) {
        unsigned char c = (unsigned char)*text;
        bool word = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
        if (word || strchr(plain, c)) {
            *to++ = (char)c;
        } else {
            *to++ = '%';
            *to++ = "0123456789ABCDEF"[c >> 4];
            *to++ = "0123456789ABCDEF"[c & 15];
        }
    }
    return to;
}

static void sign_whole(char *authorization, size_t room, struct pair *query, size_t query_count,
                       struct pair *headers, size_t header_count)
{
    char canonical[2048], names[512], body_hash[65], *to = canonical, *name = names;
    floor_hash(body_hash, "", 0);
    headers[header_count - 1].value = body_hash;
    qsort(query, query_count, sizeof *query, by_name);
    qsort(headers, header_count, sizeof *headers, by_name);
    to = put(to, "POST\n/\n");
    for (size_t i = 0; i < query_count; i++) {
        if (i > 0)
            *to++ = '&';
        to = put_encoded(to, query[i].name);
        *to++ = '=';
        to = put_encoded(to, query[i].value);
    }
    *to++ = '\n';
    for (size_t i = 0; i < header_count; i++) {
        to = put(to, headers[i].name);
        *to++ = ':';
        to = put(to, headers[i].value);
        *to++ = '\n';
        if (i > 0)
            *name++ = ';';
        name = put(name, headers[i].name);
    }
    *name = '\0';
    *to++ = '\n';
    to = put(to, names);
    *to++ = '\n';
    to = put(to, body_hash);
    floor_authorize(authorization, room, canonical, (size_t)(to - canonical), names);
}

bool floor_signatures(long count)
{
    char authorization[512], nonce[33];
    double start = floor_cpu_seconds();
    for (long i = 0; i < count; i++) {
        struct pair query[] = {{"ReplicaGroupId", "pg-0123456789abcdef"},
                               {"RegionId", "cn-shanghai"},
                               {"ClientToken", "0123456789abcdef0123456789abcdef"}};
        struct pair headers[] = {{"x-acs-version", "2021-07-30"},
                                 {"host", "ebs.cn-shanghai.aliyuncs.com"},
                                 {"x-acs-action", "FailoverDiskReplicaGroup"},
                                 {"x-acs-date", "2026-01-02T03:04:05Z"},
                                 {"x-acs-signature-nonce", nonce},
                                 {"x-acs-content-sha256", NULL}};
        snprintf(nonce, sizeof nonce, "0123456789abcdef%016lx", i);
        sign_whole(authorization, sizeof authorization, query, 3, headers, 6);
    }
    printf("%.3f\n", (floor_cpu_seconds() - start) / (double)count * 1e6);
    return authorization[0] == 'A';
}
