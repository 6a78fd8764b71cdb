/* The operations of a transport: in flight, ended and not asked for yet, told. */
#ifndef AC_OPS_H
#define AC_OPS_H

#include "transfer.h"

struct ac_ops {
    struct ac_op *flying;
    struct ac_op *ended; /* the last one first */
    struct ac_op *told;
    unsigned in_flight;
    uint64_t tickets;
};

/* It sets out, it has ended, its ticket has been told or nobody will ask for it. */
void ac_ops_begin(struct ac_ops *ops, struct ac_op *op);
void ac_ops_end(struct ac_ops *ops, struct ac_op *op);
void ac_ops_tell(struct ac_ops *ops, struct ac_op *op);

/* Nobody holds it any more. */
void ac_ops_free(struct ac_op *op);

/* Lets go of all; those that are still held are on their own. None may be in flight. */
void ac_ops_close(struct ac_ops *ops);

#endif
