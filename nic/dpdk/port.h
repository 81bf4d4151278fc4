/* port.h: the functions behind struct sb_port, for device.c. */
#ifndef SHADOWBOOK_DPDK_PORT_H
#define SHADOWBOOK_DPDK_PORT_H

struct sb_dpdk_port;

/* Fills p->port. The device may be started before or after. */
void sb_dpdk_port_bind(struct sb_dpdk_port *p);
/* Gives back the frames of the last rx. */
void sb_dpdk_port_drain(struct sb_dpdk_port *p);

#endif
