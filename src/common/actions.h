/* Operations of versions of APIs, known by name: a set that is made once and never changes, so that
 * what is decided by it is decided by what it was made of. */
#ifndef AC_ACTIONS_H
#define AC_ACTIONS_H

#include "ac.h"

/* "2014-05-26 DescribeDisks", sorted by their bytes. The texts lie behind it. */
struct ac_actions {
    size_t n;
    struct ac_str v[];
};

/* The userdata; as with AC_SIGNED_CLASS the name changes with the layout. */
#define AC_ACTIONS_CLASS "alicloud.Actions/1"

/* Sorts what was filled in. */
void ac_actions_sort(struct ac_actions *actions);

bool ac_actions_has(const struct ac_actions *actions, struct ac_str version, struct ac_str action);

#endif
