#include "actions.h"

#include <stdlib.h>

static int compare(struct ac_str a, struct ac_str b)
{
    int order = memcmp(a.p, b.p, a.n < b.n ? a.n : b.n);
    return order != 0 ? order : (a.n > b.n) - (a.n < b.n);
}

static int compare_entries(const void *a, const void *b)
{
    return compare(*(const struct ac_str *)a, *(const struct ac_str *)b);
}

void ac_actions_sort(struct ac_actions *actions)
{
    qsort(actions->v, actions->n, sizeof *actions->v, compare_entries);
}

bool ac_actions_has(const struct ac_actions *actions, struct ac_str version, struct ac_str action)
{
    char text[128];
    struct ac_str wanted = {text, version.n + 1 + action.n};
    if (version.n >= sizeof text || action.n >= sizeof text || wanted.n > sizeof text)
        return false;
    if (version.n == 0 || action.n == 0)
        return false;
    memcpy(text, version.p, version.n);
    text[version.n] = ' ';
    memcpy(text + version.n + 1, action.p, action.n);
    return bsearch(&wanted, actions->v, actions->n, sizeof *actions->v, compare_entries) != NULL;
}
