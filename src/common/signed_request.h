/* A signed request, ready to be sent. It owns its bytes. Signing and sending are separate shared
 * objects; this struct, inside a userdata, is all that passes between them.
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
    struct ac_str body;      /* p is NULL if there is no body */
    struct ac_pairs headers; /* name and value are parts of one text "name: value" */

    /* Empty if the request was not signed. */
    struct ac_str canonical;
    struct ac_str string_to_sign;
    struct ac_str signature;
    struct ac_str signed_headers; /* this and `authorization`: for ACS3 signatures only */
    struct ac_str authorization;

    void (*release)(struct ac_signed_request *wire);
};

/* The metatable of the userdata. Code that takes the request over sets `request` to NULL. The name
 * changes with the layout, so that modules of two versions never read each other's memory. */
#define AC_SIGNED_CLASS "alicloud.Signed/1"

struct ac_signed_box {
    struct ac_signed_request *request;
};

#endif
