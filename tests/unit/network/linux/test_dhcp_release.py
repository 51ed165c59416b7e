from nova.network.linux.dhcp_release import packet


def test_the_message_is_as_rfc_2131_says():
    message = packet("fa:16:3e:01:02:03", "10.0.0.5", "10.0.0.1", transaction=0x01020304)
    assert message[:4] == bytes((1, 1, 6, 0))
    assert message[4:8] == bytes((1, 2, 3, 4))
    assert message[12:16] == bytes((10, 0, 0, 5))
    assert message[28:34] == bytes.fromhex("fa163e010203")
    assert message[236:240] == bytes((99, 130, 83, 99))
    assert message[240:243] == bytes((53, 1, 7))
    assert message[243:249] == bytes((54, 4, 10, 0, 0, 1))
    assert message[249:] == bytes((255,))
