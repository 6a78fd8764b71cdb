/* Many requests at a time on one thread: libcurl's multi interface and its own poll. */
#include "floor.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

/* What is being done: COUNT pieces of work, each of `steps` requests. */
struct work {
    CURLM *multi;
    const char *base;
    long started, finished, count;
    int steps;
};

static double wall_seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* A sequence is a change on a connection of its own, as the client makes it, and then readings. */
static void launch(struct work *work, struct floor_call *call)
{
    bool changes = work->steps > 1 && call->step == 0;
    curl_easy_setopt(call->easy, CURLOPT_FRESH_CONNECT, changes ? 1L : 0L);
    curl_easy_setopt(call->easy, CURLOPT_FORBID_REUSE, changes ? 1L : 0L);
    if (changes)
        floor_prepare(call, work->base, "FailoverDiskReplicaGroup",
                      "ClientToken=0123456789abcdef0123456789abcdef&RegionId=cn-shanghai&"
                      "ReplicaGroupId=pg-0123456789abcdef");
    else if (work->steps > 1)
        floor_prepare(call, work->base, "DescribeDiskReplicaGroups",
                      "GroupIds=pg-0123456789abcdef&RegionId=cn-shanghai");
    else
        floor_prepare(call, work->base, "DescribeRegions", "RegionId=cn-shanghai");
    curl_multi_add_handle(work->multi, call->easy);
}

/* The next request of this sequence, or the first of another one. */
static void go_on(struct work *work, struct floor_call *call)
{
    if (++call->step < work->steps) {
        launch(work, call);
        return;
    }
    work->finished++;
    call->step = 0;
    if (work->started < work->count) {
        work->started++;
        launch(work, call);
    }
}

static bool collect(struct work *work)
{
    CURLMsg *message;
    int left;
    while ((message = curl_multi_info_read(work->multi, &left))) {
        struct floor_call *call;
        CURLcode code = message->data.result;
        curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, (char **)&call);
        curl_multi_remove_handle(work->multi, call->easy);
        if (!floor_finish(call, code))
            return false;
        go_on(work, call);
    }
    return true;
}

static bool carry_out(struct work *work, struct floor_call *calls, int width)
{
    bool ok = true;
    int running = 0;
    work->started = work->finished = 0;
    for (int i = 0; i < width && work->started < work->count; i++, work->started++)
        launch(work, &calls[i]);
    while (ok && work->finished < work->count) {
        curl_multi_perform(work->multi, &running);
        ok = collect(work);
        if (ok && work->finished < work->count)
            curl_multi_poll(work->multi, NULL, 0, 1000, NULL);
    }
    return ok;
}

static bool run(const char *base, long count, int width, int steps, int warm)
{
    struct work work = {.multi = curl_multi_init(), .base = base, .count = warm, .steps = steps};
    struct floor_call *calls = calloc((size_t)width, sizeof *calls);
    bool ok = calls != NULL;
    /* As many idle connections as the client keeps; of itself libcurl may close some. */
    curl_multi_setopt(work.multi, CURLMOPT_MAXCONNECTS, 256L);
    for (int i = 0; ok && i < width; i++)
        ok = floor_open(&calls[i]);
    ok = ok && carry_out(&work, calls, width);
    double cpu = floor_cpu_seconds(), wall = wall_seconds();
    work.count = count;
    ok = ok && carry_out(&work, calls, width);
    printf("%.2f %.4f\n", (floor_cpu_seconds() - cpu) / (double)count * 1e6, wall_seconds() - wall);
    for (int i = 0; calls && i < width; i++)
        floor_close(&calls[i]);
    free(calls);
    curl_multi_cleanup(work.multi);
    return ok;
}

bool floor_flight(const char *base, long calls, int width)
{
    return run(base, calls, width, 1, width * 2);
}

bool floor_storm(const char *base, long sequences, int width)
{
    return run(base, sequences, width, 4, width);
}

bool floor_fan(const char *base, int width)
{
    return run(base, width, width, 1, 0);
}
