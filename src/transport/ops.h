/* The operations of a transport, in one of three lists each. */
#ifndef AC_OPS_H
#define AC_OPS_H

#include "transfer.h"

struct ac_ops {
    struct ac_op *flying;
    struct ac_op *ended; /* done, and ac_transport_ended() has not returned them; last one first */
    struct ac_op *told;  /* done, and returned or cancelled */
    unsigned in_flight;
    uint64_t tickets;
};

/* Moves an operation to `flying`, to `ended`, to `told`. */
void ac_ops_begin(struct ac_ops *ops, struct ac_op *op);
void ac_ops_end(struct ac_ops *ops, struct ac_op *op);
void ac_ops_tell(struct ac_ops *ops, struct ac_op *op);

/* Frees an operation when its last user has released it. */
void ac_ops_free(struct ac_op *op);

/* Empties the lists. Operations that are still held no longer have a transport. None may be in
 * flight. */
void ac_ops_close(struct ac_ops *ops);

#endif
