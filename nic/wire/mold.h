/* mold.h: MoldUDP64 1.00 packets (big-endian): 10-byte session name, u64 sequence of the first
 * message, u16 count, then count blocks of u16 length and message. Count 0 is a heartbeat (sequence = next
 * expected), 0xFFFF the end of the session. Writers append into the caller's buffer; readers are total.
 */
#ifndef SHADOWBOOK_WIRE_MOLD_H
#define SHADOWBOOK_WIRE_MOLD_H

#include <stdbool.h>
#include <stdint.h>

enum { SB_MOLD_HEAD_BYTES = 20, SB_MOLD_NAME_BYTES = 10, SB_MOLD_END = 0xFFFF };

struct sb_mold_head {
    char name[SB_MOLD_NAME_BYTES];
    uint64_t seq;
    uint16_t count;
};

/* Writes the header at p. */
void sb_mold_put_head(uint8_t *p, const char name[SB_MOLD_NAME_BYTES], uint64_t seq,
                      uint16_t count);

/* Checks a whole downstream packet: header, every block inside it, nothing behind the last. A heartbeat and
 * an end have no blocks. */
bool sb_mold_read(const uint8_t *p, uint32_t bytes, struct sb_mold_head *out);

/* Walks the blocks of a packet that sb_mold_read() accepted:
 *     uint32_t at = SB_MOLD_HEAD_BYTES; while ((msg = sb_mold_next(p, bytes, &at, &len)) != NULL) ...
 * Also walks the blocks of an ENTRY body and BinaryFILE with `at` set accordingly: total on any bytes, NULL at the
 * end or at the first block that does not fit (at < bytes then). */
const uint8_t *sb_mold_next(const uint8_t *p, uint32_t bytes, uint32_t *at, uint32_t *len);

/* Request packet, exactly 20 bytes: same layout as the header; count = messages wanted. */
bool sb_mold_read_request(const uint8_t *p, uint32_t bytes, struct sb_mold_head *out);

/* The 10 characters of a stream's name, base 36 upper case: shard 2, day 3 (days since 2020-01-01), generation 2,
 * stream 3 (000 = feed). shard, generation <= 1295, stream <= 46655: asserted. trading_day is yyyymmdd; days are taken
 * modulo 46656, so an earlier day (a replayed capture) has a name too. */
void sb_stream_name(char name[SB_MOLD_NAME_BYTES], uint16_t shard, uint32_t trading_day,
                    uint16_t generation, uint32_t stream);
/* The stream index in a name, or -1 if its last three characters are not base 36. */
int32_t sb_stream_of_name(const char name[SB_MOLD_NAME_BYTES]);

#endif
