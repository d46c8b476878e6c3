#pragma once
#include <chrono>
#include <functional>

namespace proconnect::httpd {

/// Runs `body` in a forked process that has given up root's rights for those of httpd's children, and waits for it.
///
/// The shared memory can be written by every child, so a child that was taken over could make whatever reads or locks it do its will: a mutex
/// holds pointers that its unlocking follows. Once children exist, the parent therefore never touches that memory itself.
/// @param body   returns success; must leave nothing to clean up, since the process ends without destructors
/// @param limit  after which the process is killed
/// @return whether it ended in time with success
bool run_unprivileged(const std::function<bool()>& body, std::chrono::milliseconds limit);

}  // namespace proconnect::httpd
