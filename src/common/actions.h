/* A set of API operations ("version action"), such as those that only read. It is built once and
 * never changes, so no later code can alter which operations it contains. */
#ifndef AC_ACTIONS_H
#define AC_ACTIONS_H

#include "ac.h"

/* Entries such as "2014-05-26 DescribeDisks", sorted by bytes. The texts follow in memory. */
struct ac_actions {
    size_t n;
    struct ac_str v[];
};

/* The metatable of the userdata. As with AC_SIGNED_CLASS the name changes with the layout. */
#define AC_ACTIONS_CLASS "alicloud.Actions/1"

/* Sorts the entries after they were filled in. */
void ac_actions_sort(struct ac_actions *actions);

bool ac_actions_has(const struct ac_actions *actions, struct ac_str version, struct ac_str action);

#endif
