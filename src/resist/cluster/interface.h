#pragma once

#include <string>

namespace resist {

// This host's own address on the route to `host`:`port` (no packet is sent). Error where there is no route.
std::string address_towards(const std::string& host, int port);

// The address of a network interface, IPv4 if it has one. InputError lists the interfaces there are.
std::string address_of_interface(const std::string& name);

// Whether an address reaches only this host (127.0.0.0/8, ::1).
bool is_loopback(const std::string& address);

// Tells network stacks apart: the same for two processes exactly if loopback connects them (boot id and network
// namespace).
std::string network_stack_id();

}  // namespace resist
