#include "ops.h"

#include <stdlib.h>

/* More than that are not kept, nor those that an answer has made large. */
#define SPARE_MAX 64
#define SPARE_BYTES ((size_t)4 * 1024)

static void take_out(struct ac_op *op)
{
    if (!op->list)
        return;
    if (op->next)
        op->next->previous = op->previous;
    if (op->previous)
        op->previous->next = op->next;
    else
        *op->list = op->next;
    op->next = op->previous = NULL;
    op->list = NULL;
}

/* An operation is in one list at most. */
static void move(struct ac_op *op, struct ac_op **list)
{
    take_out(op);
    op->list = list;
    op->next = *list;
    if (op->next)
        op->next->previous = op;
    *list = op;
}

struct ac_op *ac_ops_new(struct ac_ops *ops, const struct ac_transport_options *options)
{
    struct ac_op *op = ops->spare;
    if (!op)
        return ac_transfer_new(options);
    ops->spare = op->next;
    ops->spares--;
    ac_transfer_renew(op);
    return op;
}

void ac_ops_begin(struct ac_ops *ops, struct ac_op *op)
{
    op->ticket = ++ops->tickets;
    ops->in_flight++;
    move(op, &ops->flying);
}

void ac_ops_end(struct ac_ops *ops, struct ac_op *op)
{
    ops->in_flight--;
    move(op, &ops->ended);
}

void ac_ops_tell(struct ac_ops *ops, struct ac_op *op)
{
    if (op->list == &ops->flying)
        ops->in_flight--;
    move(op, &ops->told);
}

static bool is_worth_keeping(const struct ac_ops *ops, const struct ac_op *op)
{
    return ops && ops->spares < SPARE_MAX && op->exchange.headers.cap <= SPARE_BYTES &&
           op->exchange.body.cap <= SPARE_BYTES;
}

void ac_ops_free(struct ac_ops *ops, struct ac_op *op)
{
    take_out(op);
    if (!is_worth_keeping(ops, op)) {
        ac_transfer_free(op);
        return;
    }
    op->next = ops->spare;
    ops->spare = op;
    ops->spares++;
}

static void release_all(struct ac_op **list)
{
    while (*list) {
        struct ac_op *op = *list;
        take_out(op);
        op->transport = NULL;
    }
}

void ac_ops_close(struct ac_ops *ops)
{
    release_all(&ops->ended);
    release_all(&ops->told);
    while (ops->spare) {
        struct ac_op *op = ops->spare;
        ops->spare = op->next;
        ac_transfer_free(op);
    }
}
