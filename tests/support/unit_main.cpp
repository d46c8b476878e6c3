// The one main() of every unit-test executable.
#define BOOST_TEST_MODULE mod_auth_proconnect
#include <boost/test/unit_test.hpp>
