#include "perf/feed_book.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "nic/wire/itch.h"
#include "perf/follow.h"

enum { LOCATES = 65536 };

bool sb_feed_book_init(struct sb_feed_book *book, uint64_t refs_max, uint64_t phases_max)
{
    *book = (struct sb_feed_book){.refs_max = refs_max, .phases_max = phases_max};
    book->phases = sb_lazy_alloc(phases_max * sizeof *book->phases);
    book->orders = sb_lazy_alloc((refs_max + 1) * sizeof *book->orders);
    book->instruments = sb_lazy_alloc(LOCATES * sizeof *book->instruments);
    if (book->orders && book->instruments && book->phases)
        return true;
    sb_feed_book_free(book);
    return false;
}

void sb_feed_book_free(struct sb_feed_book *book)
{
    sb_lazy_free(book->orders, (book->refs_max + 1) * sizeof *book->orders);
    sb_lazy_free(book->instruments, LOCATES * sizeof *book->instruments);
    sb_lazy_free(book->phases, book->phases_max * sizeof *book->phases);
    book->orders = NULL;
    book->instruments = NULL;
    book->phases = NULL;
}

static void error(struct sb_feed_book *book, uint64_t seq, const struct sb_itch *m,
                  const char *what)
{
    if (book->errors++ == 0)
        snprintf(book->first_error, sizeof book->first_error,
                 "feed message %" PRIu64 " '%c' reference %" PRIu64 ": %s", seq, m->type, m->ref,
                 what);
}

/* The open order that m names, of m's instrument, or NULL with an error. */
static struct sb_feed_order *open_order(struct sb_feed_book *book, uint64_t seq,
                                        const struct sb_itch *m)
{
    if (m->ref == 0 || m->ref > book->refs_max || book->orders[m->ref].shares == 0) {
        error(book, seq, m, "no such open order");
        return NULL;
    }
    struct sb_feed_order *order = &book->orders[m->ref];
    if (order->locate != m->locate) {
        error(book, seq, m, "the order is of another instrument");
        return NULL;
    }
    return order;
}

static void add(struct sb_feed_book *book, uint64_t seq, const struct sb_itch *m, uint64_t ref,
                char side)
{
    if (ref == 0 || ref > book->refs_max || book->orders[ref].used) {
        error(book, seq, m, "reference used before or out of range");
        return;
    }
    if (m->shares == 0 || (side != 'B' && side != 'S')) {
        error(book, seq, m, "an order without shares or side");
        return;
    }
    book->orders[ref] = (struct sb_feed_order){.price = m->price,
                                               .shares = (uint32_t)m->shares,
                                               .locate = m->locate,
                                               .side = side,
                                               .used = 1};
    book->open++;
    book->instruments[m->locate].orders++;
}

static void take_off(struct sb_feed_book *book, uint64_t seq, const struct sb_itch *m)
{
    struct sb_feed_order *order = open_order(book, seq, m);
    if (!order)
        return;
    if (m->shares == 0 || m->shares > order->shares) {
        error(book, seq, m, "more shares than are open, or none");
        return;
    }
    order->shares -= (uint32_t)m->shares;
    book->open -= order->shares == 0;
    book->instruments[m->locate].executions += m->type != 'X';
}

static void delete_order(struct sb_feed_book *book, uint64_t seq, const struct sb_itch *m)
{
    struct sb_feed_order *order = open_order(book, seq, m);
    if (!order)
        return;
    order->shares = 0;
    book->open--;
}

static void replace(struct sb_feed_book *book, uint64_t seq, const struct sb_itch *m)
{
    const struct sb_feed_order *order = open_order(book, seq, m);
    if (!order)
        return;
    const char side = order->side;
    delete_order(book, seq, m);
    add(book, seq, m, m->new_ref, side);
}

static void directory(struct sb_feed_book *book, uint64_t seq, const struct sb_itch *m)
{
    struct sb_feed_instrument *instrument = &book->instruments[m->locate];
    if (m->locate == 0 || instrument->defined) {
        error(book, seq, m, "directory entry for locate 0 or a second one");
        return;
    }
    instrument->defined = true;
    instrument->directory_timestamp = m->timestamp;
    memcpy(instrument->symbol, m->symbol, sizeof instrument->symbol);
}

/* One command may change the phases of all instruments. */
static void phase(struct sb_feed_book *book, uint64_t seq, const struct sb_itch *m)
{
    book->instruments[m->locate].state = m->state;
    if (book->phases_n > 0 && book->phases[book->phases_n - 1] == m->timestamp)
        return;
    if (book->phases_n == book->phases_max)
        error(book, seq, m, "more changes of phase than there can be");
    else
        book->phases[book->phases_n++] = m->timestamp;
}

/* Messages that carry a symbol must carry their locate's. */
static bool symbol_right(const struct sb_feed_book *book, const struct sb_itch *m)
{
    if (memchr("AHQPI", m->type, 5) == NULL)
        return true;
    return memcmp(book->instruments[m->locate].symbol, m->symbol, sizeof m->symbol) == 0;
}

void sb_feed_book_apply(struct sb_feed_book *book, uint64_t seq, const uint8_t *message,
                        uint32_t len)
{
    struct sb_itch m = {0};
    book->messages++;
    if (!sb_itch_read(message, len, &m)) {
        m.type = '?';
        error(book, seq, &m, "not an ITCH message");
        return;
    }
    if (m.timestamp < book->last_timestamp)
        error(book, seq, &m, "time runs back");
    book->last_timestamp = m.timestamp;
    if (m.type != 'S' && m.type != 'R' &&
        (!book->instruments[m.locate].defined || !symbol_right(book, &m))) {
        error(book, seq, &m, "locate without a directory entry, or another's symbol");
        return;
    }
    switch (m.type) {
    case 'S':
        if (m.event == 'O')
            book->day_timestamp = m.timestamp;
        break;
    case 'R':
        directory(book, seq, &m);
        break;
    case 'H':
        phase(book, seq, &m);
        break;
    case 'A':
        add(book, seq, &m, m.ref, m.side);
        break;
    case 'E':
    case 'C':
    case 'X':
        take_off(book, seq, &m);
        break;
    case 'D':
        delete_order(book, seq, &m);
        break;
    case 'U':
        replace(book, seq, &m);
        break;
    case 'Q':
        book->instruments[m.locate].crosses++;
        break;
    case 'P': /* trades of what is not displayed, indications: the book is as before */
    case 'I':
        break;
    default:
        error(book, seq, &m, "a type that this feed does not carry");
    }
}
