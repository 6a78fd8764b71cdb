/* A signed request, ready to be sent. It is all that passes from signing to sending: the two live
 * in shared objects of their own, so this struct in a userdata is their seam. It owns its bytes.
 */
#ifndef AC_SIGNED_REQUEST_H
#define AC_SIGNED_REQUEST_H

#include "ac.h"

struct ac_pair {
    struct ac_str name;
    struct ac_str value;
};

struct ac_pairs {
    struct ac_pair *v;
    size_t n;
};

struct ac_signed_request {
    struct ac_str method;
    struct ac_str url; /* followed by a NUL, like every header */
    struct ac_str host;
    struct ac_str body;      /* p is NULL without one */
    struct ac_pairs headers; /* the bytes from a name to the end of its value are "name: value" */

    /* Empty where nothing was signed. */
    struct ac_str canonical;
    struct ac_str string_to_sign;
    struct ac_str signature;
    struct ac_str signed_headers; /* these two with ACS3 only */
    struct ac_str authorization;

    void (*release)(struct ac_signed_request *wire);
};

/* The userdata: whoever takes the request out leaves NULL. The name changes with the layout, so
 * that modules of two versions never read each other's memory. */
#define AC_SIGNED_CLASS "alicloud.Signed/1"

struct ac_signed_box {
    struct ac_signed_request *request;
};

#endif
