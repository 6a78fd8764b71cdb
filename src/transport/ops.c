#include "ops.h"

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

/* An operation is in at most one list. */
static void move(struct ac_op *op, struct ac_op **list)
{
    take_out(op);
    op->list = list;
    op->next = *list;
    if (op->next)
        op->next->previous = op;
    *list = op;
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

void ac_ops_free(struct ac_op *op)
{
    take_out(op);
    ac_transfer_free(op);
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
}
